"""Offsets of the clicks as the broker knows them: watermarks, committed offsets and the group's lag."""

from collections.abc import Collection, Mapping, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.kafka.errors import read_error
from runtime.kafka.log_reader import KafkaLogReader

_CALL_SECONDS = 10.0
_LAG_SECONDS = 1.0
"""Timeout of each request for the lag; the loop waits for it."""


class ClickOffsets:
    """Asks for offsets with the clients of the worker. Methods raise RetriableError."""

    def __init__(self, consumer: Consumer, admin: AdminClient, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._reader = KafkaLogReader(consumer, admin, topic)

    def topic_id(self) -> str:
        """Return the cluster id and the topic id."""
        return self._reader.topic_id()

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return the first offset and the end offset of each partition."""
        return self._reader.watermarks(partitions)

    def end_offsets(self) -> Mapping[int, int]:
        """Return the end offset of every partition."""
        return {partition: end for partition, (_, end) in self._reader.watermarks(self._all_partitions()).items()}

    def committed(self) -> Mapping[int, int]:
        """Return the committed offset of every partition, 0 if there is none."""
        partitions = self._all_partitions()
        try:
            committed = self._consumer.committed(self.topic_partitions(partitions), timeout=_CALL_SECONDS)
        except KafkaException as raised:
            raise read_error(raised) from raised
        return {each.partition: max(each.offset, 0) for each in committed}

    def lag(self, partition: int, position: int) -> int:
        """Return the lag behind the end offset that the last fetch returned."""
        try:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
        except KafkaException:
            return 0
        return max(end - position, 0)

    def group_lag(self, partitions: Sequence[int], *, paused: Collection[int]) -> Mapping[int, int]:
        """Return the group's lag per partition. Without partitions, only ask whether the broker answers.

        The consumer asks, because a timeout of an admin request about a group can abort the process (librdkafka issue
        4605).
        """
        try:
            if not partitions:
                self._consumer.list_topics(self._topic, timeout=_LAG_SECONDS)
                return {}
            committed = self._consumer.committed(self.topic_partitions(partitions), timeout=_LAG_SECONDS)
            return {each.partition: self._lag_of(each, is_paused=each.partition in paused) for each in committed}
        except KafkaException as raised:
            raise read_error(raised) from raised

    def topic_partitions(self, partitions: Sequence[int]) -> list[TopicPartition]:
        """Return these partitions of the clicks as the library takes them."""
        return [TopicPartition(self._topic, partition) for partition in partitions]

    def _lag_of(self, committed: TopicPartition, *, is_paused: bool) -> int:
        """Return the distance from the committed offset to the end offset.

        The end offset of a fetched partition is cached. For a paused one the broker is asked and returns the end of the
        committed records.
        """
        if committed.error is not None:
            raise KafkaException(committed.error)
        first, end = self._consumer.get_watermark_offsets(committed, cached=True)
        if is_paused or end < 0:
            first, end = self._consumer.get_watermark_offsets(committed, timeout=_LAG_SECONDS)
        return max(end - max(committed.offset, first, 0), 0)

    def _all_partitions(self) -> list[int]:
        try:
            topic = self._consumer.list_topics(self._topic, timeout=_CALL_SECONDS).topics[self._topic]
            if topic.error is not None:
                raise KafkaException(topic.error)
        except KafkaException as raised:
            raise read_error(raised) from raised
        return list(topic.partitions)
