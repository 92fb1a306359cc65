"""Forgetting what need not be remembered any longer, a little in every batch, so that the state stops growing.

What expires is decided by the click's own time when it is decided (`Rules.retention_ms`); this only clears away what
no click can ask for any more.
"""

from collections.abc import Iterator
from math import inf

from consumer.changelog.entries import MEMORY_KEY_BYTES, ONE_CLICK, SCOPED_KEY_BYTES, newest_time
from consumer.decision.decision import Decision
from consumer.state.store import PartitionStore

ONE_CLICK_MS = 24 * 3_600_000
"""How long a click id is remembered at least, by click time."""
LATE_MS = 7 * 24 * 3_600_000
"""How late a click may come and still find what was remembered at its own time."""
_PACE = 2
"""Entries that are looked at for each that is added. With one, whatever is met must have expired to make up for what is
added, and the state grows without end; with two, a round that follows the order of writing comes to its end as well."""
_LEAST_ENTRIES = 64
"""Looked at in a batch that adds fewer, so that what is old goes also where all clicks are duplicates."""
_KEY_LENGTHS = frozenset((MEMORY_KEY_BYTES, SCOPED_KEY_BYTES))


class RetentionSweeper:
    """Goes round the entries of each partition, faster than clicks add to them.

    Without a retention only the ids of single clicks are forgotten, so nothing is looked at in a partition that has
    not got any.
    """

    def __init__(self, retention_ms: int | None) -> None:
        self._retention_ms = retention_ms
        self._cursors: dict[int, bytes] = {}

    def forget(self, partition: int, store: PartitionStore, decision: Decision, now: int) -> None:
        """Add to the memory of a decision, where it has any, that some old entries are to be forgotten.

        `now` is in milliseconds since 1970 UTC and bounds what a click may say of the time.
        """
        if not decision.clicked_at or not self._has_work(partition, decision):
            return
        entries = max(_PACE * len(decision.memory), _LEAST_ENTRIES)
        page, self._cursors[partition] = store.page(self._cursors.get(partition, b""), entries)
        time_ms = min(max(decision.clicked_at), now)
        for key in self._expired(page, time_ms):
            decision.memory.setdefault(key, None)

    def _has_work(self, partition: int, decision: Decision) -> bool:
        if self._retention_ms is not None or partition in self._cursors:
            return True
        return any(value is not None and value[0] == ONE_CLICK for value in decision.memory.values())

    def _expired(self, entries: list[tuple[bytes, bytes]], time_ms: int) -> Iterator[bytes]:
        for key, value in entries:
            if len(key) in _KEY_LENGTHS and time_ms - newest_time(value) > self._longest_age_ms(value[0]):
                yield key

    def _longest_age_ms(self, form: int) -> float:
        """Return how old an entry of this format may get before no click can ask for it."""
        if form == ONE_CLICK:
            return ONE_CLICK_MS
        return inf if self._retention_ms is None else self._retention_ms + LATE_MS
