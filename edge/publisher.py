"""Publishes the records of a spool. Only the broker's acknowledgement commits a record."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import structlog

from edge.spool.position import Position
from edge.spool.reader import Spooled, SpoolReader
from edge.spool.record import SpooledTopic

_LOG = structlog.get_logger(__name__)

MAX_IN_FLIGHT = 20_000
"""Records that wait for the broker: at a few hundred bytes each, some megabytes."""
POLL_SECONDS = 0.02


class ProducerFailed(Exception):
    """The producer cannot be used any more, or a record failed; a new one begins at the first record not committed."""


class DeliveryError(NamedTuple):
    """Why a record was not delivered. `is_final` if the broker refuses this record and takes others."""

    reason: str
    is_final: bool


OnDelivery = Callable[[DeliveryError | None], None]
"""Called once with the outcome: None if the broker has acknowledged it."""


class SpoolProducer(Protocol):
    """An idempotent producer with acks=all and the partitioner of the Java client."""

    def produce(self, topic: str, record: Spooled, on_delivery: OnDelivery) -> bool:
        """Queue the record, and return whether there was room. Raises ProducerFailed."""

    def poll(self, timeout_seconds: float) -> None:
        """Call `on_delivery` for what was acknowledged or failed. Raises ProducerFailed."""

    def close(self) -> None:
        """Discard what is queued."""


class _InFlight:
    """One record that waits for the broker."""

    __slots__ = ("error", "is_settled", "next", "timestamp_ms")

    def __init__(self, spooled: Spooled) -> None:
        self.next = spooled.next
        self.timestamp_ms = spooled.record.timestamp_ms
        self.is_settled = False
        self.error: DeliveryError | None = None

    def settle(self, error: DeliveryError | None) -> None:
        """Note the outcome."""
        self.error = error
        self.is_settled = True


class Publisher:
    """Publishes one folder in its order. Records of one key go to one partition, so their order is kept.

    A record that the broker refuses for good is tried again alone, since a broker refuses whole batches. If it is
    refused once more, it is kept in a file of its own, and the next ones go on.
    """

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
        self._alone_until = Position()
        self._has_read_all = False
        self._last: Spooled | None = None
        self.published = 0

    @property
    def is_done(self) -> bool:
        """True if the last call of `run_once` read up to its end, and the broker has everything."""
        return self._has_read_all and not self._in_flight

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest record that is not acknowledged was answered, in milliseconds since 1970 UTC."""
        try:
            return self._in_flight[0].timestamp_ms
        except IndexError:
            return None

    def run_once(self, end: Position | None) -> int:
        """Send the records up to `end`, commit the acknowledged ones, and return the number of records sent.

        Raises ProducerFailed; the next call begins again at the first record not committed, with a new producer. Raises
        OSError if the disk refuses; the next call goes on.
        """
        try:
            sent = self._send(end)
            if self._producer:
                self._producer.poll(0.0)
            self._commit()
        except ProducerFailed:
            self._start_over()
            raise
        return sent

    def close(self) -> None:
        """Close the producer and the reader."""
        if self._producer:
            self._producer.close()
        self._reader.close()

    def _send(self, end: Position | None) -> int:
        self._has_read_all = False
        sent, room = 0, self._limit - len(self._in_flight)
        if room <= 0:
            return 0
        for spooled in self._reader.read(end):
            self._produce(spooled)
            sent += 1
            if sent >= room:
                return sent
        self._has_read_all = True
        return sent

    @property
    def _limit(self) -> int:
        """Number of records that may be in flight."""
        return 1 if self._reader.committed < self._alone_until else MAX_IN_FLIGHT

    def _produce(self, spooled: Spooled) -> None:
        producer = self._producer = self._producer or self._open_producer()
        waiting = _InFlight(spooled)
        while not producer.produce(self._topics[spooled.record.topic], spooled, waiting.settle):
            producer.poll(POLL_SECONDS)
        self._in_flight.append(waiting)
        self._last = spooled

    def _commit(self) -> None:
        """Retire the longest run of acknowledged records from the front: partitions acknowledge in any order."""
        done: Position | None = None
        before = self.published
        while self._in_flight and self._in_flight[0].is_settled and self._in_flight[0].error is None:
            done = self._in_flight.popleft().next
            self.published += 1
        if done:
            self._on_published(self.published - before)
            self._reader.commit(done)
        if self._in_flight and self._in_flight[0].error:
            self._fail(self._in_flight[0].error)
        elif not self._in_flight:
            self._reader.commit_all()
        self._report_damaged()

    def _fail(self, error: DeliveryError) -> None:
        """Keep the first record in a file if it was refused alone; else begin again from it. Raises ProducerFailed."""
        refused = [each.next for each in self._in_flight if each.error and each.error.is_final]
        if error.is_final and self._last and self._limit == 1:
            path = self._reader.refuse(self._last)
            _LOG.error(
                "record.refused", file=str(path), reason=error.reason, detail="it is kept there, and not tried again"
            )
            self._discard_producer()
            self._reader.commit(self._last.next)
            return
        self._alone_until = max(refused, default=self._alone_until)
        raise ProducerFailed(f"a record was not delivered: {error.reason}")

    def _report_damaged(self) -> None:
        while self._reader.damaged:
            path = self._reader.damaged.pop()
            _LOG.error("spool.damaged", file=str(path), detail="its last records are not published; it is kept")

    def _start_over(self) -> None:
        self._discard_producer()
        self._reader.rewind()

    def _discard_producer(self) -> None:
        if self._producer:
            self._producer.close()
        self._producer = None
        self._in_flight.clear()
        self._has_read_all = False
