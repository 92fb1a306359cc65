"""The loop's consumer and producer on a real Kafka."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.kafka.backend import BACKENDS, CONFLUENT_KAFKA, Backend
from runtime.kafka.click_offsets import ClickOffsets
from runtime.kafka.errors import kafka_error, read_error
from runtime.kafka.group_membership import CLASSIC, GroupMembership
from runtime.kafka.transactional_producer import GroupOffsets, TransactionalProducer
from runtime.ports import AssignmentChange, Committed, ConsumerRecord, ProducerRecord, RetriableError

_CALL_SECONDS = 10.0


class KafkaTransactionalConsumer:
    """Consumer and producer of one worker, owned by one thread. Implements `TransactionalConsumer`."""

    def __init__(
        self,
        consumer: Consumer,
        open_producer: Callable[[], Producer],
        admin: AdminClient,
        topic: str,
        *,
        protocol: str = CLASSIC,
        backend: Backend = BACKENDS[CONFLUENT_KAFKA],
        note_member: Callable[[str], object] = lambda _member_id: None,
    ) -> None:
        """`note_member` is called with each new member id."""
        self._consumer = consumer
        self._topic = topic
        self._fetcher = backend.open_fetcher(consumer, topic)
        self._membership = GroupMembership(consumer, self._fetcher, topic, protocol=protocol, note_member=note_member)
        self._offsets = ClickOffsets(consumer, admin, topic)
        self._producer = TransactionalProducer(open_producer, backend.produce_batch)
        self._offset_metadata = ""
        """Committed with each offset: the member id of the last commit, which a broker assigns only once."""

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return up to `limit` records. The first call joins the group: a starting worker takes no partitions."""
        self._membership.join()
        try:
            records, events = self._fetcher.fetch(limit, timeout_seconds)
        except (KafkaException, SystemError) as raised:
            self._membership.handle_error(kafka_error(raised))
            return []
        for event in events:
            self._handle_event(*event)
        return records

    def _handle_event(self, partition: int, offset: int, error: KafkaError) -> None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            self._membership.eof_offsets[partition] = offset
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
            raise RetriableError(f"partition {partition} has no record at its position: {error.str()}")
        else:
            self._membership.handle_error(error)

    def poll_assignment(self) -> AssignmentChange:
        """Return how the assignment changed since the last call."""
        return self._membership.poll_assignment()

    def refusal(self) -> str | None:
        """Return why the group refuses this worker."""
        return self._membership.refusal()

    @property
    def is_member(self) -> bool:
        """True if this worker is in the group, as far as it knows."""
        return self._membership.is_member

    def eof_offset(self, partition: int) -> int | None:
        """Return the end offset that was reached."""
        return self._membership.eof_offsets.get(partition)

    def pause(self, partitions: Sequence[int]) -> None:
        """Pause; the library drops what it has prefetched of these partitions."""
        if partitions:
            self._consumer.pause(self._offsets.topic_partitions(partitions))
            self._membership.paused.update(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        """Resume."""
        if partitions:
            self._consumer.resume(self._offsets.topic_partitions(partitions))
            self._membership.paused.difference_update(partitions)

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        """Seek to the committed offset, or to the beginning."""
        try:
            committed = self._consumer.committed(self._offsets.topic_partitions(partitions), timeout=_CALL_SECONDS)
            for each in committed:
                if each.error is not None:
                    raise KafkaException(each.error)
                self._membership.eof_offsets.pop(each.partition, None)
                self._seek(each.partition, each.offset if each.offset > 0 else OFFSET_BEGINNING)
        except KafkaException as raised:
            raise read_error(raised) from raised
        return {each.partition: self._committed(each) for each in committed}

    def _seek(self, partition: int, offset: int) -> None:
        """Seek; if the library has stopped fetching the partition (offset out of range), assign it again."""
        target = TopicPartition(self._topic, partition, offset)
        try:
            self._consumer.seek(target)
        except KafkaException as raised:
            if kafka_error(raised).code() != KafkaError._STATE:  # noqa: SLF001
                raise
            self._consumer.incremental_unassign([target])
            self._membership.assign([target])

    def _committed(self, found: TopicPartition) -> Committed | None:
        if found.offset < 0:
            return None
        # An offset that a tool has set, or a member that was out of the group, carries no metadata.
        is_own = bool(self._offset_metadata) and found.metadata == self._offset_metadata
        return Committed(found.offset, is_own=is_own)

    def topic_id(self) -> str:
        """Return the cluster id and the topic id."""
        return self._offsets.topic_id()

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return the first offset and the end offset of each partition."""
        return self._offsets.watermarks(partitions)

    def end_offsets(self) -> Mapping[int, int]:
        """Return the end offset of every partition."""
        return self._offsets.end_offsets()

    def committed(self) -> Mapping[int, int]:
        """Return the committed offset of every partition."""
        return self._offsets.committed()

    def lag(self, partition: int, position: int) -> int:
        """Return the lag as of the last fetch."""
        return self._offsets.lag(partition, position)

    def group_lag(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Ask the broker for the group's lag."""
        lag = self._offsets.group_lag(partitions, paused=self._membership.paused)
        if not partitions:
            self._membership.notice_empty_assignment()
        return lag

    def begin_transaction(self) -> None:
        """Open a transaction."""
        self._producer.begin_transaction()

    def produce(self, record: ProducerRecord) -> None:
        """Produce one record in the open transaction."""
        self._producer.produce(record)

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        """Produce records of topic, value, key and headers."""
        self._producer.produce_batch(partition, records)

    def produce_tracked(self, record: ProducerRecord) -> None:
        """Produce one record; `commit_transaction` returns the offset after it."""
        self._producer.produce_tracked(record)

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit the transaction with these offsets."""
        return self._producer.commit_transaction(lambda: self._group_offsets(offsets))

    def _group_offsets(self, offsets: Mapping[int, int]) -> GroupOffsets:
        self._offset_metadata = metadata = self._membership.member_id()
        to_commit = [TopicPartition(self._topic, partition, offset, metadata) for partition, offset in offsets.items()]
        # Asked for each time: it carries the generation that fences a member that was left behind.
        group = self._consumer.consumer_group_metadata()
        return to_commit, group

    def abort_transaction(self) -> None:
        """Abort the open transaction."""
        self._producer.abort_transaction()

    def reinit_producer(self) -> None:
        """Replace the producer, which ends what the old one left open."""
        self._producer.reinit()

    def close(self) -> None:
        """Leave the group now, not by session timeout."""
        self._membership.leave()
        self._fetcher.close()
        self._consumer.close()
