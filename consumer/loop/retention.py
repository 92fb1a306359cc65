"""Deletes expired dedupe entries, a few in every batch, so that the state stops growing.

The click's own time decides whether an entry still counts (`Rules.retention_ms`); the sweeper only deletes what
no click can ask for any more.
"""

from collections.abc import Iterator
from math import inf

from consumer.changelog.entries import DEDUPE_KEY_BYTES, ONE_CLICK, SCOPED_KEY_BYTES, newest_time
from consumer.decision.decision import Decision
from runtime.state.store import PartitionStore

ONE_CLICK_MS = 24 * 3_600_000
"""Shortest time that a click id is remembered, by click time."""
LATE_MS = 7 * 24 * 3_600_000
"""Maximum delay of a click that still finds the entries of its time."""
_EXAMINED_PER_ADDED = 2
"""Entries examined for each one added. With one, every examined entry would have to be expired to keep up, and the
state would grow without end; with two, a sweep that follows the order of writing also ends."""
_MIN_ENTRIES = 64
"""Entries examined in a batch that adds fewer, so that old ones go even if all clicks are duplicates."""
_KEY_LENGTHS = frozenset((DEDUPE_KEY_BYTES, SCOPED_KEY_BYTES))


class RetentionSweeper:
    """Sweeps the entries of each partition in a circle, faster than clicks add to them.

    Without a retention only click ids expire, so a partition without any is not examined.
    """

    def __init__(self, retention_ms: int | None) -> None:
        self._retention_ms = retention_ms
        self._cursors: dict[int, bytes] = {}

    def sweep(self, partition: int, store: PartitionStore, decision: Decision, now_ms: int) -> list[bytes]:
        """Return the keys of some expired entries; those that the decision has written are among them.

        `now_ms`, milliseconds since 1970 UTC, bounds the time that a click may claim.
        """
        if not decision.clicked_at or not self._has_work(partition, decision):
            return []
        entries = max(_EXAMINED_PER_ADDED * len(decision.entries), _MIN_ENTRIES)
        examined, self._cursors[partition] = store.page(self._cursors.get(partition, b""), entries)
        time_ms = min(max(decision.clicked_at), now_ms)
        return list(self._expired(examined, time_ms))

    def _has_work(self, partition: int, decision: Decision) -> bool:
        if self._retention_ms is not None or partition in self._cursors:
            return True
        return any(value is not None and value[0] == ONE_CLICK for value in decision.entries.values())

    def _expired(self, entries: list[tuple[bytes, bytes]], time_ms: int) -> Iterator[bytes]:
        for key, value in entries:
            if len(key) in _KEY_LENGTHS and time_ms - newest_time(value) > self._longest_age_ms(value[0]):
                yield key

    def _longest_age_ms(self, format_byte: int) -> float:
        """Return the age after which no click can ask for an entry of this format."""
        if format_byte == ONE_CLICK:
            return ONE_CLICK_MS
        return inf if self._retention_ms is None else self._retention_ms + LATE_MS
