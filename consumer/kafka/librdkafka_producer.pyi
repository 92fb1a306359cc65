from collections.abc import Sequence

from confluent_kafka import Producer

from consumer.kafka.sending import Sendable

def send(producer: Producer, partition: int, records: Sequence[Sendable], start: int) -> int: ...
