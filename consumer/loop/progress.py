"""How far this worker has come in each partition, to be held against what the client library and the broker say.

What is decided by the memory alone would survive a second reading; hits and dead letters would be written twice. It has
been seen once: after a transaction was refused in the middle of a rebalance, two partitions were read again from their
beginning, whose clicks had been committed a quarter of a second before.
"""

from collections.abc import Mapping

from consumer.ports import RetriableError


class RegressionCheck:
    """Offsets after what was committed here, of partitions that were ours ever since."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def note(self, offsets: Mapping[int, int]) -> None:
        """Take in offsets that are known to be committed."""
        self._next.update(offsets)

    def forget(self, partition: int) -> None:
        """Know nothing any more of a partition that goes or comes: others may have set its offset back meanwhile."""
        self._next.pop(partition, None)

    def check(self, offsets: Mapping[int, int]) -> None:
        """Look at offsets to go on from. Raises RetriableError where one lies before what is committed."""
        for partition, offset in offsets.items():
            if offset < self._next.get(partition, 0):
                raise RetriableError(
                    f"partition {partition} would go on from offset {offset}, though everything before"
                    f" {self._next[partition]} is committed; asking again (who sets offsets back must stop the workers)"
                )
