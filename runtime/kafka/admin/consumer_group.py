"""Members, committed offsets and lag of a consumer group."""

from collections.abc import Iterable, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition

from runtime.kafka.admin.connection import Connection
from runtime.kafka.group_lag import group_lag


class ConsumerGroup:
    """Asks about one group. Methods raise Unavailable."""

    def __init__(self, connection: Connection, group_id: str) -> None:
        self._connection = connection
        self._group_id = group_id

    def members(self) -> int:
        """Return the number of members."""
        connection = self._connection
        with connection.translated():
            futures = connection.client.describe_consumer_groups(
                [self._group_id], request_timeout=connection.answer_seconds
            )
            return len(futures[self._group_id].result().members)

    def committed(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int | None]:
        """Return the committed offset of each partition, None if there is none; wait for open transactions."""
        connection = self._connection
        asked = [TopicPartition(topic, partition) for partition in partitions]
        request = ConsumerGroupTopicPartitions(self._group_id, asked)
        with connection.translated():
            futures = connection.client.list_consumer_group_offsets(
                [request], require_stable=True, request_timeout=connection.answer_seconds
            )
            found = futures[self._group_id].result().topic_partitions or []
            for each in found:
                if each.error is not None:
                    raise KafkaException(each.error)
        known = {each.partition: each.offset for each in found if each.offset >= 0}
        return {each.partition: known.get(each.partition) for each in asked}

    def lag(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int]:
        """Return the lag of each partition, including control records."""
        connection = self._connection
        with connection.translated():
            lag = group_lag(
                connection.client,
                self._group_id,
                [(topic, partition) for partition in partitions],
                answer_seconds=connection.answer_seconds,
                patience_seconds=connection.answer_seconds,
            )
        return {partition: records for (_, partition), records in lag.items()}
