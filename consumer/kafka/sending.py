"""Handing many records to a producer, through the binding of its library for Python."""

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaException, Producer

Sendable = tuple[str, bytes | None, bytes, Any]
"""Topic, value, key and headers of a record."""
Send = Callable[[Producer, int, Sequence[Sendable], int], int]
"""Hands records to a partition, from the one of that number on; returns the number of the first that was not taken."""


def send_one_by_one(producer: Producer, partition: int, records: Sequence[Sendable], start: int) -> int:
    """Send by a call of the binding each: positional, for keywords cost as much as the call."""
    produce = producer.produce
    for place in range(start, len(records)):
        topic, value, key, headers = records[place]
        try:
            produce(topic, value, key, partition, None, None, 0, headers)
        except (BufferError, KafkaException):
            return place
    return len(records)
