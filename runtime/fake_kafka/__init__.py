"""An in-memory Kafka behind the ports of `runtime.ports`, for tests and for the demo without a broker.

`FakeCluster` models the broker with logs, groups and transactions, and knows nothing of the ports. The adapters on top
model the client library. Each request goes through a `Network`, which may lose it or its answer, delay or repeat it; by
default it does none of that. The package starts no thread and uses no randomness: equal calls give equal answers.

Timeouts take effect only on request: the caller that plays the broker calls `Group.expire_members`,
`TransactionCoordinator.expire_older_than` and `PartitionLog.compact`. docs/simulator.md lists what else is left out.
"""
