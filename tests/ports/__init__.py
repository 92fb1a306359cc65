"""Contract tests of `consumer.ports`, on the in-memory fake and on a real Kafka."""
