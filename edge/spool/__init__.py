"""Records on their way to Kafka, on disk until the broker has them: what was answered survives the process."""
