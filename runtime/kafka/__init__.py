"""Adapters for Kafka: configuration, consumers, producers and errors of the client library."""
