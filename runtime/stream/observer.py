"""What a worker's loop tells of itself; metrics and health probes listen."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol


class TransactionResult(StrEnum):
    """The results of a transaction."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


class StreamObserver(Protocol):
    """Listens to a loop."""

    def beat(self) -> None:
        """Note that the loop is alive."""

    def refused(self, reason: str | None) -> None:
        """Note why the group refuses the worker; None if it accepts it."""

    def interrupted(self, reason: str) -> None:
        """Note why the loop waits before it retries."""

    def iterated(self) -> None:
        """Note a turn that ended without an error."""

    def lag(self, lag: Mapping[int, int]) -> None:
        """Note the lag of partitions, in records."""

    def answered(self, *, is_all_done: bool) -> None:
        """Note an answer of the broker."""

    def transaction(self, result: TransactionResult) -> None:
        """Note the end of a transaction."""
