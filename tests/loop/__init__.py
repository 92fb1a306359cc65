"""The loop with all its real parts on the in-memory Kafka, under scripted failures."""
