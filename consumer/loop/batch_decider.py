"""Decides the records of a partition: calls the pure `decide`, and waits for link versions that are still to come."""

from collections.abc import Callable, Mapping, Sequence
from math import inf

from cachetools import TTLCache

from consumer.decision.core import OpenCore
from consumer.decision.core_py import Core
from consumer.decision.decide import decide
from consumer.decision.decision import Decision, Rules
from consumer.loop.batch import PartitionBatch
from consumer.loop.plan_cache import PlanCache
from consumer.loop.retention import RetentionSweeper
from runtime.clock import Clock
from runtime.ports import ConsumerRecord
from runtime.records.bulk import values_of
from runtime.state.store import PartitionStore
from schemas.bad_record import BadRecord, Reason
from schemas.click import ClickLayout, parse_click

DEFINITION_WAIT_MS = 5_000
"""Maximum delay of a link version after a click that names it."""
MAX_DEFINITION_WAIT_SECONDS = 20.0
"""Longest wait of one batch for link versions, all partitions together; the group waits a minute for the worker."""
_SLICE_SECONDS = 0.1
_REFRESH_SECONDS = 1.0
"""How often the schema registry is asked about unknown schemas: seldom enough for the registry, and soon enough for an
edge that publishes right after it registered a schema; until then its clicks become dead letters."""

_MISSING_SECONDS = 60.0
_MAX_MISSING = 10_000

Version = tuple[bytes, int | None]
"""The key of a link and the version that a click names."""
ReadLayouts = Callable[[], Mapping[bytes, ClickLayout]]


class BatchDecider:
    """Decides the records of one partition at a time.

    `read_layouts` returns the layout of a click by the frame before it; it is called again if a click has an unknown
    frame. Raises RetriableError.
    """

    def __init__(
        self,
        plans: PlanCache,
        read_layouts: ReadLayouts,
        rules: Rules,
        clock: Clock,
        *,
        open_core: OpenCore = Core,
    ) -> None:
        self._plans = plans
        self._definitions = plans.definitions
        self._read_layouts = read_layouts
        self._layouts = read_layouts()
        self._layouts_read_at = clock.monotonic()
        self._rules = rules
        self._clock = clock
        self._open_core = open_core
        self._sweeper = RetentionSweeper(rules.retention_ms)
        self._forced: dict[tuple[int, int], BadRecord] = {}
        self._missing: TTLCache[Version, None] = TTLCache(_MAX_MISSING, _MISSING_SECONDS, clock.monotonic)
        """Versions that did not arrive in time, for a while: clicks on them would delay all others again and again."""

    def force_dead_letter(self, partition: int, offset: int, bad: BadRecord) -> bool:
        """Dead-letter this record regardless of its content; return False if asked before."""
        if (partition, offset) in self._forced:
            return False
        self._forced[partition, offset] = bad
        return True

    def forget_before(self, offsets: Mapping[int, int]) -> None:
        """Forget committed records, those before the next offset of each partition."""
        self._forced = {
            (partition, offset): bad
            for (partition, offset), bad in self._forced.items()
            if offset >= offsets.get(partition, 0)
        }

    def decide(
        self, partition: int, records: Sequence[ConsumerRecord], store: PartitionStore, *, wait_until: float = inf
    ) -> Decision:
        """Decide; if a click names a version that may still arrive, follow the definitions and decide again.

        `wait_until`, by the monotonic clock, bounds the wait of the whole batch. Raises RetriableError if the
        definitions cannot be read.
        """
        values = values_of(records)
        forced = self._forced_rows(partition, records) if self._forced else {}

        def decide_now() -> Decision:
            return decide(
                values,
                partition,
                layouts=self._layouts,
                plans=self._plans,
                look_up=store.get_many,
                open_core=self._open_core,
                rules=self._rules,
                now=self._clock.now_ms(),
                rejected=forced,
            )

        decision = decide_now()
        if decision.has(Reason.UNKNOWN_SCHEMA) and self._learn_layouts():
            decision = decide_now()
        if decision.unknown_versions():
            decision = self._decide_once_defined(decision, records, decide_now, wait_until)
        return decision

    def add_expired(self, batch: PartitionBatch, store: PartitionStore) -> None:
        """Add deletions of some expired entries to a batch that was decided."""
        for key in self._sweeper.sweep(batch.partition, store, batch.decision, self._clock.now_ms()):
            batch.entries.setdefault(key, None)

    def _learn_layouts(self) -> bool:
        """Ask about new schemas, at most once a second; return whether there are any."""
        known = set(self._layouts)
        if self._clock.monotonic() - self._layouts_read_at >= _REFRESH_SECONDS:
            self._layouts = self._read_layouts()
            self._layouts_read_at = self._clock.monotonic()
        return set(self._layouts) != known

    def _forced_rows(self, partition: int, records: Sequence[ConsumerRecord]) -> dict[int, BadRecord]:
        keys = ((row, (partition, record.offset() or 0)) for row, record in enumerate(records))
        return {row: self._forced[key] for row, key in keys if key in self._forced}

    def _decide_once_defined(
        self,
        decision: Decision,
        records: Sequence[ConsumerRecord],
        decide_now: Callable[[], Decision],
        wait_until: float,
    ) -> Decision:
        """Wait until the newest of these clicks is so old that its version, if it exists, would be known.

        A version that did not arrive in time before is not awaited again, but everything published by now is read.
        """
        awaited = self._awaited(decision, records)
        newest_ms = max((records[row].timestamp()[1] for row in awaited), default=0)
        age_ms = max(self._clock.now_ms() - newest_ms, 0)
        deadline = min(self._clock.monotonic() + max(DEFINITION_WAIT_MS - age_ms, 0) / 1000, wait_until)
        # Definitions published before the clicks are read in any case.
        give_up_at = min(deadline + DEFINITION_WAIT_MS / 1000, wait_until)
        self._definitions.catch_up(lambda: self._clock.monotonic() > give_up_at)
        decision = decide_now()
        while awaited.keys() & decision.unknown_versions() and self._clock.monotonic() < deadline:
            if self._definitions.follow(_SLICE_SECONDS):
                decision = decide_now()
        self._missing.update((awaited[row], None) for row in awaited.keys() & decision.unknown_versions())
        return decision

    def _awaited(self, decision: Decision, records: Sequence[ConsumerRecord]) -> dict[int, Version]:
        """Return, by row, the versions that may still arrive."""
        cuts = ((row, parse_click(records[row].value(), self._layouts)) for row in decision.unknown_versions())
        named = {row: (cut.link_key, cut.link_version) for row, cut in cuts}
        return {row: version for row, version in named.items() if version not in self._missing}
