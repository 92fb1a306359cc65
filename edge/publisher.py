"""Publishes the records of a spool. Only the broker's acknowledgement commits a record."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

import structlog

from edge.spool.position import Position
from edge.spool.reader import Block, SpoolReader
from edge.spool.record import SpooledTopic
from edge.spool.segment import MAX_BLOCK

_LOG = structlog.get_logger(__name__)

WAIT_SECONDS = 0.5


class ProducerFailed(Exception):
    """The producer cannot be used any more, or a record failed; a new one begins at the first record not committed."""


class Failure(NamedTuple):
    """A record that was not delivered, by its place in the batch, which counts from 0.

    `is_final` if the broker refuses this record and takes others.
    """

    place: int
    reason: str
    is_final: bool


OutgoingRecord = tuple[str, int, bytes, bytes]
"""Topic, timestamp in milliseconds since 1970 UTC, key and value."""


class SpoolProducer(Protocol):
    """An idempotent producer with acks=all and the partitioner of the Java client; delivers one batch at a time."""

    def produce(self, batch: Sequence[OutgoingRecord], start: int) -> int:
        """Queue the records of a batch from `start` on; return the index of the first one without room.

        `start` 0 begins a batch.
        """

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until all that is queued is acknowledged or failed, and return whether it is."""

    @property
    def failures(self) -> Sequence[Failure]:
        """The records of the batch that failed, the first ones first."""

    def close(self) -> None:
        """Discard what is queued."""


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
        self._batch: Block | None = None
        self._outgoing: Sequence[OutgoingRecord] = ()
        self._queued = 0
        """Records of the batch that the producer has."""
        self._alone_until = Position()
        self._has_read_all = False
        self.published = 0
        self.oldest_ms: int | None = None
        """When the oldest record was answered that was read and is not committed, in milliseconds since 1970 UTC."""

    @property
    def is_done(self) -> bool:
        """True if the last call of `run_once` read up to its end, and the broker has everything."""
        return self._has_read_all and not self._batch

    def run_once(self, end: Position | None) -> int:
        """Send a batch of the records up to `end`, unless the last one is still on its way, and wait for it a while.

        Return the number of records committed. Raises ProducerFailed; the next call begins again at the first record
        not committed, with a new producer. Raises OSError if the disk refuses; the next call goes on.
        """
        before, self._has_read_all = self.published, False
        try:
            if not self._batch:
                self._read(end)
            if self._batch is None:
                self._report_errors()
            elif self._deliver():
                self._settle(self._batch)
        except ProducerFailed:
            self._discard_producer()
            self._reader.rewind()
            raise
        if not self._batch:
            self._reader.commit_all()
        self._report_damaged()
        return self.published - before

    def close(self) -> None:
        """Close the producer and the reader."""
        if self._producer:
            self._producer.close()
        self._reader.close()

    def _read(self, end: Position | None) -> None:
        topics, self._queued = self._topics, 0
        self._batch = next(self._reader.read(end, 1 if self._is_alone else MAX_BLOCK), None)
        self._has_read_all = self._batch is None
        records = self._batch.records if self._batch else ()
        self.oldest_ms = records[0].timestamp_ms if records else None
        self._outgoing = [(topics[topic], at_ms, key, value) for topic, at_ms, key, value in records]

    @property
    def _is_alone(self) -> bool:
        """True if records are sent one by one."""
        return self._reader.committed < self._alone_until

    def _deliver(self) -> bool:
        """Return whether the outcome of each record is known."""
        producer = self._producer = self._producer or self._open_producer()
        if self._queued < len(self._outgoing):
            self._queued = producer.produce(self._outgoing, self._queued)
        return producer.wait(WAIT_SECONDS) and self._queued == len(self._outgoing)

    def _report_errors(self) -> None:
        """Have the client library report its errors, though nothing is on its way."""
        if self._producer:
            self._producer.wait(0.0)

    def _settle(self, batch: Block) -> None:
        """Commit what was acknowledged from the front. Raises ProducerFailed if it was not all."""
        failures = self._producer.failures if self._producer else ()
        if not failures:
            self._commit(batch, len(batch.records))
        elif failures[0].is_final and self._is_alone:
            self._refuse(batch, failures[0])
        else:
            self._fail(batch, failures)

    def _commit(self, batch: Block, count: int) -> None:
        """Retire the first records of the batch, and forget the others."""
        self._batch = None
        if count == len(batch.records):
            self.oldest_ms = None
        if count:
            self.published += count
            self._on_published(count)
            self._reader.commit(batch.next_after(count - 1))

    def _refuse(self, batch: Block, failure: Failure) -> None:
        """Keep a record in a file that was refused alone."""
        following = batch.next_after(0)
        path, detail = self._reader.refuse(batch.records[0], following), "it is kept there, and not tried again"
        _LOG.error("record.refused", file=str(path), reason=failure.reason, detail=detail)
        self._discard_producer()
        self._reader.commit(following)

    def _fail(self, batch: Block, failures: Sequence[Failure]) -> None:
        refused = [batch.next_after(each.place) for each in failures if each.is_final]
        self._alone_until = max(refused, default=self._alone_until)
        with suppress(OSError):  # it is committed all the same; the disk gets the position with the next one
            self._commit(batch, failures[0].place)
        raise ProducerFailed(f"a record was not delivered: {failures[0].reason}")

    def _report_damaged(self) -> None:
        while self._reader.damaged:
            path = self._reader.damaged.pop()
            _LOG.error("spool.damaged", file=str(path), detail="its last records are not published; it is kept")

    def _discard_producer(self) -> None:
        if self._producer:
            self._producer.close()
        self._producer = self._batch = None
