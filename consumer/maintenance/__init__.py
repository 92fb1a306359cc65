"""Operations on the state while no worker runs: repartition, reconcile, replay."""
