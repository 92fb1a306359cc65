"""Whether a consumer group has members, and what is left to do for it."""

from collections.abc import Iterable, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, TopicPartition
from confluent_kafka.admin import OffsetSpec

from consumer.kafka.connection import Connection
from consumer.kafka.offsets import read_offsets


class GroupWatch:
    """Asks about one group. Methods raise Unavailable."""

    def __init__(self, connection: Connection, group_id: str) -> None:
        self._connection = connection
        self._group_id = group_id

    def members(self) -> int:
        """Return how many members the group has."""
        connection = self._connection
        with connection.translated():
            futures = connection.client.describe_consumer_groups(
                [self._group_id], request_timeout=connection.answer_seconds
            )
            return len(futures[self._group_id].result().members)

    def lag(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int]:
        """Return for each partition how many records, control records included, the group has not committed."""
        connection = self._connection
        places = [(topic, partition) for partition in partitions]
        asked = ConsumerGroupTopicPartitions(self._group_id, [TopicPartition(*place) for place in places])
        with connection.translated():
            ends, firsts = (
                read_offsets(
                    connection.client,
                    places,
                    spec,
                    level=IsolationLevel.READ_UNCOMMITTED,
                    answer_seconds=connection.answer_seconds,
                )
                for spec in (OffsetSpec.latest(), OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            )
            futures = connection.client.list_consumer_group_offsets([asked], request_timeout=connection.answer_seconds)
            found = futures[self._group_id].result().topic_partitions or []
        done = {place.partition: place.offset for place in found}
        return {
            partition: ends[topic, partition] - max(done.get(partition, 0), firsts[topic, partition])
            for _, partition in places
        }
