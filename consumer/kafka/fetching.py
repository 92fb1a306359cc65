"""Taking clicks from a consumer: through the C interface of its library where that could be built."""

from collections.abc import Callable, Sequence
from typing import Protocol

from confluent_kafka import Consumer, KafkaError

from consumer.ports import ConsumerRecord

Event = tuple[int, int, KafkaError]
"""What came in the place of a record: partition, offset, and what happened there."""
Fetch = tuple[Sequence[ConsumerRecord], Sequence[Event]]


class Fetcher(Protocol):
    """Takes records from one consumer; owned by the thread that owns it. Callbacks of the consumer happen in `fetch`.

    Raises what the consumer does.
    """

    def claim(self, partition: int) -> None:
        """Take in a partition that was just assigned and is paused."""

    def fetch(self, limit: int, timeout_seconds: float) -> Fetch:
        """Return up to `limit` records, after at most the time-out, and what else came."""

    def close(self) -> None:
        """Let go of what is not the consumer's."""


class BindingFetcher:
    """Fetches by the binding of the library for Python: an object for each record."""

    def __init__(self, consumer: Consumer, topic: str) -> None:  # noqa: ARG002 - what the other one needs
        self._consumer = consumer

    def claim(self, partition: int) -> None:
        """Do nothing: all come the same way."""

    def fetch(self, limit: int, timeout_seconds: float) -> Fetch:
        """Return what `consume` does, records and errors apart."""
        messages = self._consumer.consume(limit, timeout_seconds)
        records = [message for message in messages if message.error() is None]
        if len(records) == len(messages):
            return records, ()
        errors = ((message, message.error()) for message in messages)
        return records, [(m.partition() or 0, m.offset() or 0, error) for m, error in errors if error is not None]

    def close(self) -> None:
        """Do nothing."""


OpenFetcher = Callable[[Consumer, str], Fetcher]
"""Makes a fetcher of the clicks in a topic."""
