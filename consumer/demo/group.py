"""How far the workers' group has come, as the broker tells."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumer.config.settings import Settings
from consumer.demo.failure import DemoFailed
from consumer.kafka.admin.topic_reader import Span, open_reader
from consumer.kafka.client import Isolation, admin_config, open_admin
from consumer.kafka.offsets import read_offsets

ANSWER_SECONDS = 30.0


class Group:
    """Asks about the clicks and the changelog of one group. Every method raises DemoFailed without an answer."""

    def __init__(self, settings: Settings, *, clicks: str, changelog: str, partitions: int) -> None:
        self._settings = settings
        self._admin: AdminClient = open_admin(admin_config(settings.kafka))
        self._clicks = clicks
        self._changelog = changelog
        self._partitions = range(partitions)

    def committed(self) -> Mapping[int, int]:
        """Return the next offset of each partition that the group has still to do."""
        places = [TopicPartition(self._clicks, partition) for partition in self._partitions]
        group = self._settings.group_id
        try:
            asked = self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group, places)], request_timeout=ANSWER_SECONDS
            )
            answer = asked[group].result().topic_partitions or []
        except KafkaException as error:
            raise _no_answer(error) from error
        return {place.partition: max(place.offset, 0) for place in answer}

    def ends(self) -> Mapping[int, int]:
        """Return the end offset of each partition of the clicks."""
        return self._ends(self._clicks, self._partitions, IsolationLevel.READ_UNCOMMITTED)

    def count_done(self, committed: Mapping[int, int]) -> int:
        """Return how many records these offsets leave behind; transactions use up offsets of their own, too."""
        spans = [Span(self._clicks, partition, 0, offset) for partition, offset in committed.items()]
        return self._count(spans, Isolation.READ_COMMITTED)

    def count_waiting(self, committed: Mapping[int, int], ends: Mapping[int, int]) -> int:
        """Return how many records lie between these offsets, those of an open transaction included."""
        spans = [Span(self._clicks, partition, offset, ends[partition]) for partition, offset in committed.items()]
        return self._count(spans, Isolation.READ_UNCOMMITTED)

    def is_in_transaction(self, partitions: Collection[int]) -> bool:
        """Tell whether a transaction is open now that has written to these partitions of the changelog."""
        written = self._ends(self._changelog, partitions, IsolationLevel.READ_UNCOMMITTED)
        # Asked second, so that what is beyond it was written by then and is not committed.
        stable = self._ends(self._changelog, partitions, IsolationLevel.READ_COMMITTED)
        return any(stable[partition] < written[partition] for partition in partitions)

    def is_done(self) -> bool:
        """Tell whether nothing is left to do; what transactions leave at the end of a partition is no click."""
        committed = self.committed()
        spans = [Span(self._clicks, partition, committed[partition], end) for partition, end in self.ends().items()]
        with closing(open_reader(self._settings.kafka)) as reader:
            return next(reader.read(spans), None) is None

    def _count(self, spans: Sequence[Span], isolation: Isolation) -> int:
        with closing(open_reader(self._settings.kafka, isolation)) as reader:
            return sum(1 for _ in reader.read(spans))

    def _ends(self, topic: str, partitions: Collection[int], isolation: IsolationLevel) -> Mapping[int, int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its stub lacks the types
        places = [(topic, partition) for partition in partitions]
        try:
            offsets = read_offsets(self._admin, places, latest, level=isolation, answer_seconds=ANSWER_SECONDS)
            return {partition: offset for (_, partition), offset in offsets.items()}
        except KafkaException as error:
            raise _no_answer(error) from error


def _no_answer(error: KafkaException) -> DemoFailed:
    return DemoFailed(f"The broker does not tell how far the workers are: {error.args[0].str()}")
