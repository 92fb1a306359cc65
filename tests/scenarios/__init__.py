"""Scripts that run on the twin and on a real Kafka and must have the same outcome, so that the model cannot drift."""
