"""Repairs of the state while no worker runs: repartition, reconcile, replay."""
