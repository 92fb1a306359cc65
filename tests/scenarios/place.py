"""What a script needs of a Kafka beside what every test of the ports does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.ports import TransactionalConsumer
from tests.ports.environment import Environment

BRIEF = "brief"
"""The instance whose transactions time out soon."""
SILENT = "silent"
"""The instance that is put out of the group soon after it stops turning."""


@dataclass(frozen=True)
class Sight:
    """What lies in partition 0 now, as readers of both kinds see it."""

    committed: Sequence[str]
    uncommitted: Sequence[str]
    stable_end: int
    end: int


class Place(Environment, Protocol):
    """A Kafka, real or not, whose answers can be lost and whose time can be made to pass."""

    def settle(self, stream: TransactionalConsumer) -> None:
        """Return once what was produced lies in its partition or was refused."""

    def lose_the_end(self, stream: TransactionalConsumer) -> None:
        """Have the next request that ends a transaction never arrive."""

    def expire(self, topic: str, instance: str) -> None:
        """Have the open transaction of the instance, which is in this topic, time out."""

    def begin_compaction(self, topic: str) -> None:
        """Have the topic compacted from now on: what was written before, once more is written."""

    def compact(self, topic: str) -> None:
        """Return once everything before the last record is compacted."""

    def look(self, topic: str) -> Sight: ...
