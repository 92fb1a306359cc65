"""Whether a consumer group has members, and what is left to do for it."""

from collections.abc import Iterable, Mapping

from consumer.kafka.connection import Connection
from consumer.kafka.group_lag import group_lag


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
        with connection.translated():
            lag = group_lag(
                connection.client,
                self._group_id,
                [(topic, partition) for partition in partitions],
                answer_seconds=connection.answer_seconds,
                patience_seconds=connection.answer_seconds,
            )
        return {partition: records for (_, partition), records in lag.items()}
