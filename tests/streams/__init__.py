"""What the ports of `consumer.streams` promise, held against the twin and against a real Kafka."""
