"""Kafka in this process: the twin behind the ports of `consumer.streams`, for tests and where there is no broker.

`MemoryCluster` is the model and knows nothing of the ports; the other classes are adapters over it. Nothing here
starts a thread, sleeps by itself or leaves anything to chance: the same calls give the same answers.
"""
