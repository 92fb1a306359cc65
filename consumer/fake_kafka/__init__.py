"""Kafka in this process: the twin behind the ports of `consumer.ports`, for tests and where there is no broker.

The model of the broker is `MemoryCluster` with its logs, groups and transactions; it knows nothing of the ports. The
model of the client library is the adapters over it. Each request of a client goes through a `Network`, which may lose
it or its answer, hold it back or repeat it; by default it does nothing of the kind. Nothing here starts a thread,
sleeps by itself or leaves anything to chance: the same calls give the same answers.

Time has effects only where somebody asks for them: `Group.put_out_silent`, `TransactionCoordinator.expire_older_than`
and `PartitionLog.compact` are for whoever plays the broker. What else is left out stands in docs/simulator.md.
"""
