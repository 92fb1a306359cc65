"""Has batches decided: gives the pure decision what it needs, and waits for definitions that are on their way."""

from collections.abc import Callable, Mapping, Sequence
from math import inf

from cachetools import TTLCache

from consumer.clock import Clock
from consumer.decision.core import OpenCore
from consumer.decision.core_py import Core
from consumer.decision.decide import decide
from consumer.decision.decision import Decision, Rules
from consumer.loop.plan_cache import PlanCache
from consumer.loop.retention import RetentionSweeper
from consumer.ports import ConsumerRecord
from consumer.records.bulk import values_of
from consumer.state.store import PartitionStore
from schemas.bad_record import BadRecord, Reason
from schemas.click import ClickLayout, parse_click

DEFINITION_WAIT_MS = 5_000
"""How long after a click was published its version may still turn up among the definitions."""
MAX_DEFINITION_WAIT_SECONDS = 20.0
"""How long one batch may wait for definitions, all its partitions together; the group waits a minute."""
_SLICE_SECONDS = 0.1
_REFRESH_SECONDS = 1.0
"""How often a schema registry is asked about frames that nobody knows: rarely for it, often for an edge that has just
registered a schema and goes on to publish, for until it is asked clicks of that schema become dead letters."""

_MISSING_SECONDS = 60.0
_MOST_MISSING = 10_000

Version = tuple[bytes, int | None]
"""The key of a link and the version that a click names."""
ReadLayouts = Callable[[], Mapping[bytes, ClickLayout]]


class BatchDecider:
    """Decides the records of one partition at a time.

    `read_layouts` returns the frames that may stand before a click and how to walk what follows; it is asked again
    when a frame turns up that is not among them. Raises RetriableError.
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
        self._expiry = RetentionSweeper(rules.retention_ms)
        self._condemned: dict[tuple[int, int], BadRecord] = {}
        self._missing: TTLCache[Version, None] = TTLCache(_MOST_MISSING, _MISSING_SECONDS, clock.monotonic)
        """Versions that were waited for in vain, for a while: else whoever clicks such a link holds up all others."""

    def force_dead_letter(self, partition: int, offset: int, bad: BadRecord) -> bool:
        """Make this record a dead letter whatever it holds; False where it was condemned before."""
        if (partition, offset) in self._condemned:
            return False
        self._condemned[partition, offset] = bad
        return True

    def forget_before(self, offsets: Mapping[int, int]) -> None:
        """Forget about records that are committed, by the next offset of each partition."""
        self._condemned = {
            (partition, offset): bad
            for (partition, offset), bad in self._condemned.items()
            if offset >= offsets.get(partition, 0)
        }

    def decide(
        self, partition: int, records: Sequence[ConsumerRecord], store: PartitionStore, *, wait_until: float = inf
    ) -> Decision:
        """Decide; while a version is named that may still turn up, follow the definitions and decide again.

        `wait_until`, by the monotonic clock, is when the batch has waited long enough as a whole. Raises RetriableError
        where the definitions cannot be read.
        """
        values = values_of(records)
        condemned = self._condemned_rows(partition, records) if self._condemned else {}

        def decide_now() -> Decision:
            return decide(
                values,
                partition,
                layouts=self._layouts,
                plans=self._plans,
                recall=store.get_many,
                open_core=self._open_core,
                rules=self._rules,
                now=self._clock.now_ms(),
                condemned=condemned,
            )

        decision = decide_now()
        if decision.has(Reason.UNKNOWN_SCHEMA) and self._learn_layouts():
            decision = decide_now()
        if decision.unknown_versions():
            decision = self._decide_once_defined(decision, records, decide_now, wait_until)
        self._expiry.forget(partition, store, decision, self._clock.now_ms())
        return decision

    def _learn_layouts(self) -> bool:
        """Ask about new schemas, now and then; tell whether there are any."""
        known = set(self._layouts)
        if self._clock.monotonic() - self._layouts_read_at >= _REFRESH_SECONDS:
            self._layouts = self._read_layouts()
            self._layouts_read_at = self._clock.monotonic()
        return set(self._layouts) != known

    def _condemned_rows(self, partition: int, records: Sequence[ConsumerRecord]) -> dict[int, BadRecord]:
        places = ((row, (partition, record.offset() or 0)) for row, record in enumerate(records))
        return {row: self._condemned[place] for row, place in places if place in self._condemned}

    def _decide_once_defined(
        self,
        decision: Decision,
        records: Sequence[ConsumerRecord],
        decide_now: Callable[[], Decision],
        wait_until: float,
    ) -> Decision:
        """Wait until the newest of the clicks is old enough for its version to be known if it exists.

        Nobody waits for a version again that was waited for in vain, but whatever was published by now is read.
        """
        awaited = self._awaited(decision, records)
        newest_ms = max((records[row].timestamp()[1] for row in awaited), default=0)
        age_ms = max(self._clock.now_ms() - newest_ms, 0)
        deadline = min(self._clock.monotonic() + max(DEFINITION_WAIT_MS - age_ms, 0) / 1000, wait_until)
        # The definitions that were there when the clicks came are read in any case, late or not.
        give_up_at = min(deadline + DEFINITION_WAIT_MS / 1000, wait_until)
        self._definitions.catch_up(lambda: self._clock.monotonic() > give_up_at)
        decision = decide_now()
        while awaited.keys() & decision.unknown_versions() and self._clock.monotonic() < deadline:
            if self._definitions.follow(_SLICE_SECONDS):
                decision = decide_now()
        self._missing.update((awaited[row], None) for row in awaited.keys() & decision.unknown_versions())
        return decision

    def _awaited(self, decision: Decision, records: Sequence[ConsumerRecord]) -> dict[int, Version]:
        """Return the rows that name a version which may still turn up, and which it is."""
        cuts = ((row, parse_click(records[row].value(), self._layouts)) for row in decision.unknown_versions())
        named = {row: (cut.link_key, cut.link_version) for row, cut in cuts}
        return {row: version for row, version in named.items() if version not in self._missing}
