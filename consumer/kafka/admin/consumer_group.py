"""Whether a consumer group has members, and what is left to do for it."""

from collections.abc import Iterable, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition

from consumer.kafka.admin.connection import Connection
from consumer.kafka.group_lag import group_lag


class ConsumerGroup:
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

    def committed(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int | None]:
        """Return what the group has committed of each partition, no transaction being open; None where nothing is."""
        connection = self._connection
        places = [TopicPartition(topic, partition) for partition in partitions]
        asked = ConsumerGroupTopicPartitions(self._group_id, places)
        with connection.translated():
            futures = connection.client.list_consumer_group_offsets(
                [asked], require_stable=True, request_timeout=connection.answer_seconds
            )
            found = futures[self._group_id].result().topic_partitions or []
            for place in found:
                if place.error is not None:
                    raise KafkaException(place.error)
        known = {place.partition: place.offset for place in found if place.offset >= 0}
        return {place.partition: known.get(place.partition) for place in places}

    def lag(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int]:
        """Return for each partition how many records, control records included, the group has not committed."""
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
