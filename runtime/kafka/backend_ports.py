"""The calls per batch that a backend makes: fetching clicks from a consumer, handing records to a producer."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, Producer

from runtime.ports import ConsumerRecord

Event = tuple[int, int, KafkaError]
"""An error that came instead of a record: its partition, its offset and the error."""
Fetch = tuple[Sequence[ConsumerRecord], Sequence[Event]]

SendableRecord = tuple[str, bytes | None, bytes, Any]
"""Topic, value, key and headers of a record."""


class Fetcher(Protocol):
    """Fetches records from one consumer, on the thread that owns it. Consumer callbacks run inside `fetch`.

    Raises what the consumer raises.
    """

    def attach(self, partition: int) -> None:
        """Include a partition that was just assigned and is paused."""

    def fetch(self, limit: int, timeout_seconds: float) -> Fetch:
        """Return up to `limit` records and the events that came with them, after at most the timeout."""

    def close(self) -> None:
        """Release what belongs to the fetcher; the consumer stays open."""


OpenFetcher = Callable[[Consumer, str], Fetcher]
"""Opens a fetcher for the clicks of one topic."""

ProduceBatch = Callable[[Producer, int, Sequence[SendableRecord], int], int]
"""Hands records to a partition, beginning at an index; returns the index of the first record that was not taken."""

BatchRecord = tuple[str, int, bytes, bytes]
"""Topic, timestamp in milliseconds since 1970 UTC, key and value of a record."""


class BatchProducer(Protocol):
    """Produces one batch at a time with a producer without transactions, and tells what was not delivered.

    No other method of that producer that serves its callbacks may be called.
    """

    failures: list[tuple[int, KafkaError]]
    """Index in the batch of each record that was not delivered, and why; the caller clears it before a new batch."""

    def produce(self, records: Sequence[BatchRecord], start: int, end: int) -> int:
        """Queue the records of a batch from `start` up to `end`; return the index of the first one without room."""

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until everything queued is acknowledged or failed, and return whether it is."""

    def close(self) -> None:
        """Release what belongs to it; the producer stays open."""


OpenBatchProducer = Callable[[Producer], BatchProducer]
