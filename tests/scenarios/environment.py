"""The Kafka environment that scripts need, beyond that of the port tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.ports import TransactionalConsumer
from tests.ports.environment import Environment

BRIEF = "brief"
"""The instance whose transactions time out soon."""
SILENT = "silent"
"""The instance that the group removes soon after it stops polling."""


@dataclass(frozen=True)
class Snapshot:
    """The present content of partition 0, for both isolation levels."""

    committed: Sequence[str]
    uncommitted: Sequence[str]
    stable_end: int
    end: int


class ScriptEnvironment(Environment, Protocol):
    """A Kafka, real or fake, with lost requests and forced time-outs."""

    def settle(self, stream: TransactionalConsumer) -> None:
        """Return once what was produced is in its partition or was rejected."""

    def lose_the_end(self, stream: TransactionalConsumer) -> None:
        """Lose the next request that ends a transaction."""

    def expire(self, topic: str, instance: str) -> None:
        """Time out the open transaction of the instance, which is in this topic."""

    def begin_compaction(self, topic: str) -> None:
        """Compact the topic from now on: records written before, once more is written."""

    def compact(self, topic: str) -> None:
        """Return once everything before the last record is compacted."""

    def look(self, topic: str) -> Snapshot: ...
