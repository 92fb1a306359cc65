"""Contract tests of `runtime.ports`, on the in-memory fake and on a real Kafka."""
