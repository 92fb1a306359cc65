"""The progress of the workers' group, asked from the broker."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumer.demo.failure import DemoFailed
from runtime.config.settings import Settings
from runtime.kafka.admin.topic_reader import Span, open_reader
from runtime.kafka.client import Isolation, admin_config, open_admin
from runtime.kafka.offsets import read_offsets

TIMEOUT_SECONDS = 30.0


class Group:
    """The clicks and the changelog of one group. Every method raises DemoFailed if the broker does not answer."""

    def __init__(self, settings: Settings, *, clicks: str, changelog: str, partitions: int) -> None:
        self._settings = settings
        self._admin: AdminClient = open_admin(admin_config(settings.kafka))
        self._clicks = clicks
        self._changelog = changelog
        self._partitions = range(partitions)

    def committed(self) -> Mapping[int, int]:
        """Return the committed offset of each partition, 0 if there is none."""
        partitions = [TopicPartition(self._clicks, partition) for partition in self._partitions]
        group = self._settings.group_id
        try:
            futures = self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group, partitions)], request_timeout=TIMEOUT_SECONDS
            )
            answer = futures[group].result().topic_partitions or []
        except KafkaException as error:
            raise _no_answer(error) from error
        return {each.partition: max(each.offset, 0) for each in answer}

    def ends(self) -> Mapping[int, int]:
        """Return the end offset of each partition of the clicks."""
        return self._ends(self._clicks, self._partitions, IsolationLevel.READ_UNCOMMITTED)

    def count_done(self, committed: Mapping[int, int]) -> int:
        """Return the number of records before these offsets; control records of transactions are not counted."""
        spans = [Span(self._clicks, partition, 0, offset) for partition, offset in committed.items()]
        return self._count(spans, Isolation.READ_COMMITTED)

    def count_waiting(self, committed: Mapping[int, int], ends: Mapping[int, int]) -> int:
        """Return the number of records between these offsets, including those of open transactions."""
        spans = [Span(self._clicks, partition, offset, ends[partition]) for partition, offset in committed.items()]
        return self._count(spans, Isolation.READ_UNCOMMITTED)

    def is_in_transaction(self, partitions: Collection[int]) -> bool:
        """Return whether an open transaction has written to these partitions of the changelog."""
        written = self._ends(self._changelog, partitions, IsolationLevel.READ_UNCOMMITTED)
        # Asked second: records beyond it were written before and are not committed.
        stable = self._ends(self._changelog, partitions, IsolationLevel.READ_COMMITTED)
        return any(stable[partition] < written[partition] for partition in partitions)

    def is_done(self) -> bool:
        """Return whether no click is left; trailing control records do not count."""
        committed = self.committed()
        spans = [Span(self._clicks, partition, committed[partition], end) for partition, end in self.ends().items()]
        with closing(open_reader(self._settings.kafka)) as reader:
            return next(reader.read(spans), None) is None

    def _count(self, spans: Sequence[Span], isolation: Isolation) -> int:
        with closing(open_reader(self._settings.kafka, isolation)) as reader:
            return sum(1 for _ in reader.read(spans))

    def _ends(self, topic: str, partitions: Collection[int], isolation: IsolationLevel) -> Mapping[int, int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its stub lacks the types
        wanted = [(topic, partition) for partition in partitions]
        try:
            offsets = read_offsets(self._admin, wanted, latest, level=isolation, answer_seconds=TIMEOUT_SECONDS)
            return {partition: offset for (_, partition), offset in offsets.items()}
        except KafkaException as error:
            raise _no_answer(error) from error


def _no_answer(error: KafkaException) -> DemoFailed:
    return DemoFailed(f"The broker did not report the offsets of the workers: {error.args[0].str()}")
