"""Moves records from clicks to updates: the loop, Kafka, state, dead letters, metrics, command line."""
