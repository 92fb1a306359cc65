"""A Kafka wherever it runs."""
