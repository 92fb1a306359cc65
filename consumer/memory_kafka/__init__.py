"""Kafka in this process: the twin behind the ports of `consumer.streams`, for tests and where there is no broker.

`MemoryCluster` is the model and knows nothing of the ports; the other classes are adapters over it. Nothing here
starts a thread, sleeps by itself or leaves anything to chance: the same calls give the same answers.

What it leaves out: compaction and retention; sessions and transactions that time out by themselves (`Group.leave` and
`TransactionCoordinator.expire` are for whoever plays the broker); answers that come late or never; records that a
producer has gathered and not sent; control records that reach one partition before another; batches that are refused
whole for one record in them.
"""
