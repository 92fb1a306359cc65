"""The loop with all its real parts, on the twin of Kafka, under failures that are written down beforehand."""
