"""Faults of every kind on a real Kafka with real processes, clicks flowing all the time: `make chaos`."""
