"""Support for tests on a real Kafka: worker processes, clicks, links, and waits."""
