"""Publishes the records of a spool. Only the broker's acknowledgement retires a record."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from edge.spool.position import Position
from edge.spool.record import SpooledTopic
from edge.spool.spool import Spooled, SpoolReader

MAX_IN_FLIGHT = 20_000
"""Records that wait for the broker: at a few hundred bytes each, some megabytes."""
POLL_SECONDS = 0.02
ROUND_SECONDS = 0.01
"""Time between two rounds: each one costs as much as some records, and takes the interpreter from the answers."""
FULL_ROUND = 500
"""Records of a round after which the next one begins at once."""
RETRY_SECONDS = 1.0


class ProducerFailed(Exception):
    """The producer cannot be used any more, or refuses a record; a new one begins at the first record not retired."""


class SpoolProducer(Protocol):
    """An idempotent producer with acks=all and the partitioner of the Java client."""

    def produce(self, topic: str, record: Spooled, on_delivery: Callable[[bool], None]) -> bool:
        """Queue the record, and return whether there was room. Raises ProducerFailed.

        `poll` calls `on_delivery`: True once the broker has acknowledged the record, False if it never will.
        """

    def poll(self, timeout_seconds: float) -> None:
        """Call `on_delivery` for what was acknowledged or failed. Raises ProducerFailed."""

    def close(self) -> None:
        """Discard what is queued."""


class _InFlight:
    """One record that waits for the broker."""

    __slots__ = ("is_delivered", "next", "timestamp_ms")

    def __init__(self, spooled: Spooled) -> None:
        self.next = spooled.next
        self.timestamp_ms = spooled.record.timestamp_ms
        self.is_delivered: bool | None = None

    def settle(self, was_taken: bool) -> None:  # noqa: FBT001 - a callback with one argument
        """Note whether the broker has acknowledged it, or never will."""
        self.is_delivered = was_taken


class Publisher:
    """Publishes one folder in its order. Records of one key go to one partition, so their order is kept."""

    def __init__(
        self,
        reader: SpoolReader,
        open_producer: Callable[[], SpoolProducer],
        topics: Mapping[SpooledTopic, str],
        on_published: Callable[[int], None] = lambda _records: None,
    ) -> None:
        """`on_published` is called with the number of records that the broker has acknowledged."""
        self._reader = reader
        self._open_producer = open_producer
        self._topics = topics
        self._on_published = on_published
        self._producer: SpoolProducer | None = None
        self._in_flight: deque[_InFlight] = deque()
        self.published = 0

    @property
    def unpublished(self) -> int:
        """Number of records that were read and are not acknowledged."""
        return len(self._in_flight)

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest record that is not acknowledged was answered, in milliseconds since 1970 UTC."""
        try:
            return self._in_flight[0].timestamp_ms
        except IndexError:
            return None

    @property
    def damaged(self) -> Sequence[Path]:
        """Files that were set aside."""
        return self._reader.damaged

    def run_once(self, end: Position | None) -> int:
        """Send the records up to `end`, retire the acknowledged ones, and return the number of records sent.

        Raises ProducerFailed; the next call begins again, with a new producer, at the first record not retired.
        """
        try:
            producer = self._producer = self._producer or self._open_producer()
            sent = self._send(producer, end)
            producer.poll(0.0)
            self._retire()
        except ProducerFailed:
            self._start_over()
            raise
        return sent

    def close(self) -> None:
        """Close the producer and the reader."""
        if self._producer:
            self._producer.close()
        self._reader.close()

    def _send(self, producer: SpoolProducer, end: Position | None) -> int:
        sent = 0
        if len(self._in_flight) >= MAX_IN_FLIGHT:
            return 0
        for spooled in self._reader.read(end):
            waiting = _InFlight(spooled)
            while not producer.produce(self._topics[spooled.record.topic], spooled, waiting.settle):
                producer.poll(POLL_SECONDS)
            self._in_flight.append(waiting)
            sent += 1
            if len(self._in_flight) >= MAX_IN_FLIGHT:
                break
        return sent

    def _retire(self) -> None:
        """Retire the longest run of acknowledged records from the front: partitions acknowledge in any order."""
        done: Position | None = None
        before = self.published
        while self._in_flight and self._in_flight[0].is_delivered:
            done = self._in_flight.popleft().next
            self.published += 1
        if done:
            self._reader.retire(done)
            self._on_published(self.published - before)
        if self._in_flight and self._in_flight[0].is_delivered is False:
            raise ProducerFailed("a record was not delivered")

    def _start_over(self) -> None:
        if self._producer:
            self._producer.close()
        self._producer = None
        self._in_flight.clear()
        self._reader.rewind()


class PublishingThread:
    """Publishes the spool of a running edge until it is stopped and every record is acknowledged."""

    def __init__(self, publisher: Publisher, end: Callable[[], Position], on_failure: Callable[[str], None]) -> None:
        self._publisher = publisher
        self._end = end
        self._on_failure = on_failure
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Stop once all is published, and return whether it was within the time-out."""
        self._stop.set()
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        is_done = False
        while not is_done:
            is_stopping = self._stop.is_set()
            try:
                sent = self._publisher.run_once(self._end())
            except ProducerFailed as error:
                self._on_failure(str(error))
                time.sleep(RETRY_SECONDS)
            else:
                is_done = is_stopping and not sent and not self._publisher.unpublished
                if sent < FULL_ROUND and not is_done:
                    time.sleep(ROUND_SECONDS)
        self._publisher.close()
