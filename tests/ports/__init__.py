"""What the ports of `consumer.ports` promise, held against the twin and against a real Kafka."""
