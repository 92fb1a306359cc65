"""The clicks and the transaction, on a real Kafka."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from consumer.kafka.backend import BACKENDS, BINDING, Backend
from consumer.kafka.errors import fatal_error, kafka_error, reading_failure, why_refused
from consumer.kafka.log_reader import KafkaLogReader
from consumer.kafka.transactional_writer import Signed, TransactionalWriter
from consumer.monitoring.log_throttle import LogThrottle
from consumer.ports import (
    AssignmentChange,
    Committed,
    ConsumerRecord,
    ProducerRecord,
    RetriableError,
    TransactionAborted,
)

_LOG = structlog.get_logger(__name__)
_CALL_SECONDS = 10.0
"""Bound of a call that asks where the group stands."""
_LEAVE_SECONDS = 1.5
CLASSIC = "classic"
"""The library's default for `group.protocol`."""
_LAG_SECONDS = 1.0
"""How long each answer may take that tells the lag; the loop waits for it."""


class KafkaTransactionalConsumer:
    """Consumer and producer of one worker, owned by one thread.

    Callbacks of a rebalance only note what happened and hold what was given: an exception or a wait in one of them
    would lose the batch that is being collected.
    """

    def __init__(
        self,
        consumer: Consumer,
        open_producer: Callable[[], Producer],
        admin: AdminClient,
        topic: str,
        *,
        protocol: str = CLASSIC,
        interface: Backend = BACKENDS[BINDING],
        note_member: Callable[[str], object] = lambda _member_id: None,
    ) -> None:
        """`note_member` is told the member id of this stream each time it is another one."""
        self._consumer = consumer
        self._fetcher = interface.open_fetcher(consumer, topic)
        self._topic = topic
        self._is_told_nothing = protocol != CLASSIC
        self._reader = KafkaLogReader(consumer, admin, topic)
        self._admin = admin
        self._writer = TransactionalWriter(open_producer, interface.send)
        self._given: set[int] = set()
        self._held: set[int] = set()
        self._taken: set[int] = set()
        self._ends_met: dict[int, int] = {}
        self._note_member = note_member
        self._noted_member = ""
        self._has_joined = self._is_member = False
        self._refusal: str | None = None
        self._repeats = LogThrottle(time.monotonic)
        self._signature = ""
        """Left beside each offset: the member id of the last commit, which a broker gives out only once."""

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return up to `limit` records; errors among them are told apart.

        The first call joins the group: until then a worker that starts takes nothing from those that work.
        """
        if not self._has_joined:
            self._join()
        try:
            records, events = self._fetcher.fetch(limit, timeout_seconds)
        except (KafkaException, SystemError) as raised:
            self._judge(kafka_error(raised))
            return []
        for event in events:
            self._note(*event)
        return records

    def _join(self) -> None:
        self._has_joined = True
        self._consumer.subscribe(
            [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def _note(self, partition: int, offset: int, error: KafkaError) -> None:
        """Note an end that was met, and judge any other error that came in the place of a record."""
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            self._ends_met[partition] = offset
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
            raise RetriableError(f"partition {partition} has no record at its position: {error.str()}")
        else:
            self._judge(error)

    def poll_assignment(self) -> AssignmentChange:
        """Return how the assignment changed since the last call."""
        for partition in self._taken | self._given:
            # The end may have come with the very call in which the partition went, and be told after that.
            self._ends_met.pop(partition, None)
        if self._given:
            self._tell_member()
        change = AssignmentChange(frozenset(self._taken), frozenset(self._given))
        self._taken, self._given = set(), set()
        return change

    def refusal(self) -> str | None:
        """Return why the group does not take this worker, as it said last; None once it has."""
        if self._refusal is not None and self._consumer.memberid():
            self._refusal = None
        return self._refusal

    @property
    def is_member(self) -> bool:
        """Whether the last thing heard of the group was that it has this worker."""
        return self._is_member

    def eof_offset(self, partition: int) -> int | None:
        """Return the end offset that was met."""
        return self._ends_met.get(partition)

    def pause(self, partitions: Sequence[int]) -> None:
        """Pause; what the library has fetched ahead of these partitions is thrown away."""
        if partitions:
            self._consumer.pause(self._places(partitions))
            self._held.update(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        """Resume."""
        if partitions:
            self._consumer.resume(self._places(partitions))
            self._held.difference_update(partitions)

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        """Go to what is committed, or to the beginning."""
        try:
            places = self._consumer.committed(self._places(partitions), timeout=_CALL_SECONDS)
            for place in places:
                if place.error is not None:
                    raise KafkaException(place.error)
                self._ends_met.pop(place.partition, None)
                self._go_to(place.partition, place.offset if place.offset > 0 else OFFSET_BEGINNING)
        except KafkaException as raised:
            raise reading_failure(raised) from raised
        return {place.partition: self._committed_at(place) for place in places}

    def _go_to(self, partition: int, offset: int) -> None:
        """Seek, or assign the partition again where the library does not fetch it: it has nothing at its position."""
        place = TopicPartition(self._topic, partition, offset)
        try:
            self._consumer.seek(place)
        except KafkaException as raised:
            if kafka_error(raised).code() != KafkaError._STATE:  # noqa: SLF001
                raise
            self._consumer.incremental_unassign([place])
            self._start([place])

    def topic_id(self) -> str:
        """Return cluster and topic id."""
        return self._reader.topic_id()

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return first and end offset."""
        return self._reader.watermarks(partitions)

    def end_offsets(self) -> Mapping[int, int]:
        """Return the end offset of every partition."""
        partitions = self._partitions()
        return {partition: end for partition, (_, end) in self._reader.watermarks(partitions).items()}

    def committed(self) -> Mapping[int, int]:
        """Return what the group has committed of every partition."""
        try:
            places = self._consumer.committed(self._places(self._partitions()), timeout=_CALL_SECONDS)
        except KafkaException as raised:
            raise reading_failure(raised) from raised
        return {place.partition: max(place.offset, 0) for place in places}

    def lag(self, partition: int, position: int) -> int:
        """Return the lag as the last fetch told it."""
        try:
            _, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
        except KafkaException:
            return 0
        return max(high - position, 0)

    def group_lag(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Ask the broker by the consumer: admin requests about a group that time out can abort the process.

        That is librdkafka's issue 4605. Where no partition is named, ask only whether the broker answers.
        """
        try:
            if not partitions:
                self._consumer.list_topics(self._topic, timeout=_LAG_SECONDS)
                self._take_empty_share()
                return {}
            places = self._consumer.committed(self._places(partitions), timeout=_LAG_SECONDS)
            return {place.partition: self._lag_of(place) for place in places}
        except KafkaException as raised:
            raise reading_failure(raised) from raised

    def _lag_of(self, place: TopicPartition) -> int:
        """Return how far the end lies beyond what is committed; a partition that is read has told its end already.

        A partition that is held has not, and is asked for the end of what can be read.
        """
        if place.error is not None:
            raise KafkaException(place.error)
        first, end = self._consumer.get_watermark_offsets(place, cached=True)
        if place.partition in self._held or end < 0:
            first, end = self._consumer.get_watermark_offsets(place, timeout=_LAG_SECONDS)
        return max(end - max(place.offset, first, 0), 0)

    def _take_empty_share(self) -> None:
        """Under `group.protocol=consumer` the library tells nothing of a share without partitions."""
        if self._is_told_nothing and self._consumer.memberid() and self._refusal is None:
            self._is_member = True

    def begin_transaction(self) -> None:
        """Open a transaction."""
        self._writer.begin()

    def produce(self, record: ProducerRecord) -> None:
        """Write one record in the open transaction."""
        self._writer.produce(record)

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        """Write records of topic, value, key and headers."""
        self._writer.produce_all(partition, records)

    def produce_tracked(self, record: ProducerRecord) -> None:
        """Write as `produce`, and let `commit` tell the offset after it."""
        self._writer.track(record)

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit what was written together with these offsets."""
        return self._writer.commit(lambda: self._sign(offsets))

    def _sign(self, offsets: Mapping[int, int]) -> Signed:
        self._signature = signature = self._member_id()
        places = [TopicPartition(self._topic, partition, offset, signature) for partition, offset in offsets.items()]
        # Fresh metadata each time: it carries the generation that fences a member that was left behind.
        member = self._consumer.consumer_group_metadata()
        return places, member

    def _tell_member(self) -> None:
        member = self._consumer.memberid() or ""
        if member and member != self._noted_member:
            self._noted_member = member
            self._note_member(member)

    def _member_id(self) -> str:
        """Return it. Raises TransactionAborted where the group put this member out and the library knows.

        A broker would take a static member that tells no id for one that another process replaced.
        """
        member = self._consumer.memberid() or ""
        if self._has_joined and not member:
            raise TransactionAborted("this worker is out of the group", rebalance=True)
        return member

    def abort_transaction(self) -> None:
        """Abort the open transaction."""
        self._writer.abort()

    def reinit_producer(self) -> None:
        """Replace the producer, which ends what the old one left open."""
        self._writer.renew()

    def close(self) -> None:
        """Leave the group at once instead of by session time-out."""
        if self._has_joined:
            self._has_joined = False
            with suppress(KafkaException):
                self._leave()
        self._fetcher.close()
        self._consumer.close()

    def _leave(self) -> None:
        """Unsubscribe, and wait until the member id is gone: a static member that merely closes stays a member."""
        self._consumer.unsubscribe()
        deadline = time.monotonic() + _LEAVE_SECONDS
        while self._consumer.memberid() and time.monotonic() < deadline:
            self._consumer.poll(0.05)

    def _committed_at(self, place: TopicPartition) -> Committed | None:
        if place.offset < 0:
            return None
        # Offsets that a tool has set carry no signature, as do those of a member that is out of the group.
        return Committed(place.offset, is_own=bool(self._signature) and place.metadata == self._signature)

    def _places(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition) for partition in partitions]

    def _partitions(self) -> list[int]:
        try:
            topic = self._consumer.list_topics(self._topic, timeout=_CALL_SECONDS).topics[self._topic]
            if topic.error is not None:
                raise KafkaException(topic.error)
        except KafkaException as raised:
            raise reading_failure(raised) from raised
        return list(topic.partitions)

    def _judge(self, error: KafkaError) -> None:
        final = fatal_error(error)
        if final is not None:
            raise final
        reason = why_refused(error)
        if reason is not None and not self._consumer.assignment():
            self._refusal = reason
        # Some errors come again with each poll, thousands of times a second.
        if self._repeats.is_due(error.name()):
            _LOG.warning("consumer.disturbed", error=error.name(), detail=reason or error.str())

    def _on_assign(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        """Begin where nothing is asked of the group: whoever is given a partition says where to go by `rewind`."""
        self._refusal = None
        self._start([TopicPartition(self._topic, place.partition, OFFSET_BEGINNING) for place in places])
        self._given.update(place.partition for place in places)
        self._held.update(place.partition for place in places)
        self._is_member = True

    def _start(self, places: list[TopicPartition]) -> None:
        self._consumer.incremental_assign(places)
        self._consumer.pause(places)
        for place in places:
            self._fetcher.claim(place.partition)

    def _on_revoke(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        for place in places:
            self._given.discard(place.partition)
            self._taken.add(place.partition)
            self._ends_met.pop(place.partition, None)

    def _on_lost(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._is_member = False
        self._on_revoke(consumer, places)
