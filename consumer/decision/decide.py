"""The decision about a batch, without Kafka, clock or disk.

Three steps over the whole batch: parse the clicks, look_up what the state knows of them in one
look-up, and decide them one by one; each sees the effects of those before it.
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import cast

from consumer.decision import hits_py
from consumer.decision.candidates import Candidates, LookUp, scoped_keys
from consumer.decision.core import Core, OpenCore
from consumer.decision.decision import Decision, DecisionDraft, Rules
from consumer.decision.hits import Hits
from consumer.decision.outcome import ClickOutcome
from consumer.decision.plan import LinkPlan, Plans
from consumer.decision.slow_path import SlowPath
from runtime.records.bulk import all_fit
from schemas.bad_record import BadRecord, Reason
from schemas.click import ClickLayout


def decide(
    values: Sequence[bytes | None],
    partition: int,
    *,
    layouts: Mapping[bytes, ClickLayout],
    plans: Plans,
    look_up: LookUp,
    open_core: OpenCore,
    rules: Rules,
    now: int,
    rejected: Mapping[int, BadRecord] | None = None,
) -> Decision:
    """Decide the records of one partition, in their order.

    `layouts` maps the accepted headers of a click; `look_up` looks up keys in the partition's state;
    `open_core` does the work on each click; `now`, in milliseconds since 1970 UTC, bounds the time of a click;
    `rejected` rows become dead letters regardless of their content.
    """
    draft = DecisionDraft(dict(rejected or {}))
    core = open_core(_fit_values(values, rules, draft.dead_letters), layouts)
    for row, error in core.bad.items():
        draft.dead_letters.setdefault(row, error)
    _reject_times_out_of_range(core, rules, now, draft.dead_letters)
    candidates = core.choose(partition, rules.partitions, plans, draft)
    hits = _decide_candidates(core, candidates, draft, look_up=look_up, rules=rules)
    draft.clicks[ClickOutcome.DEAD_LETTERED] = len(draft.dead_letters)
    draft.clicks[ClickOutcome.REROUTED] = len(draft.rerouted)
    return draft.finish(hits, candidates.times if candidates.rows else ())


def _fit_values(values: Sequence[bytes | None], rules: Rules, bad: dict[int, BadRecord]) -> Sequence[bytes]:
    """Reject absent and oversized values, and return the values with the rejected rows emptied."""
    if bad:
        values = _emptied(values, bad)
    # One check of the whole batch costs less than `or b""` per row: hardly any batch has such records.
    if not all_fit(values, rules.max_click_bytes):
        _reject_absent_and_large(values, rules.max_click_bytes, bad)
        values = _emptied(values, bad)
    return cast("Sequence[bytes]", values)


def _emptied(values: Sequence[bytes | None], rows: Container[int]) -> list[bytes | None]:
    """Return the values with these rows emptied, so that rejected values are not parsed."""
    return [b"" if row in rows else value for row, value in enumerate(values)]


def _reject_absent_and_large(values: Sequence[bytes | None], limit: int, bad: dict[int, BadRecord]) -> None:
    for row, value in enumerate(values):
        if value is None:
            bad.setdefault(row, BadRecord(Reason.NULL_VALUE, "the record has no value"))
        elif len(value) > limit:
            detail = f"the value has {len(value)} bytes; {limit} are allowed"
            bad.setdefault(row, BadRecord(Reason.TOO_LARGE, detail))


def _reject_times_out_of_range(core: Core, rules: Rules, now: int, bad: dict[int, BadRecord]) -> None:
    for row in core.rows_outside(rules.earliest_ms, now + rules.max_ahead_ms):
        bad.setdefault(
            row, BadRecord(Reason.TIMESTAMP_OUT_OF_RANGE, "clicked_at is before the year 2000 or in the future")
        )


def _decide_candidates(
    core: Core, candidates: Candidates, draft: DecisionDraft, *, look_up: LookUp, rules: Rules
) -> Hits:
    if not candidates.rows:
        return hits_py.Hits()
    hits = core.count_hits(candidates.links, look_up)
    scoped = scoped_keys(candidates, core.clicks)
    found = dict(zip(scoped, look_up(scoped), strict=True))
    applied, duplicates = core.decide(
        candidates,
        look_up(candidates.keys),
        draft,
        sequential=hits.sequential,
        retention_ms=rules.retention_ms,
        slow_path=SlowPath(core.clicks, draft, rules, scoped=found, hits=hits).decide,
    )
    hits.add(_count(applied, ClickOutcome.APPLIED, draft), first=True)
    hits.add(_count(duplicates, ClickOutcome.DUPLICATE, draft), first=False)
    draft.entries.update(hits.entries())
    return hits


def _count(counts: Mapping[LinkPlan, int], outcome: str, draft: DecisionDraft) -> Mapping[LinkPlan, int]:
    """Add the clicks whose actions all had this outcome to the counts of the draft; return `counts`."""
    by_kinds: Counter[tuple[str, ...]] = Counter()
    for plan, clicks in counts.items():
        by_kinds[plan.kinds] += clicks
    for kinds, clicks in by_kinds.items():
        draft.clicks[outcome if kinds else ClickOutcome.WITHOUT_ACTIONS] += clicks
        for kind in kinds:
            draft.actions[kind, outcome] += clicks
    return counts
