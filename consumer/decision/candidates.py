"""The clicks of a batch that the state has to be asked about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from consumer.decision.plan import LinkPlan
from schemas.click_batch import ClickBatch
from schemas.identity import scope_digest

Recall = Callable[[Sequence[bytes]], list[bytes | None]]
"""Looks keys up in the state of one partition; the values come in the order of the keys."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Clicks on a defined link that are no test and in their right partition: row, plan and memory key of each."""

    rows: list[int] = field(default_factory=list)
    plans: list[LinkPlan] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)


def mailing_scope(batch: ClickBatch, row: int) -> bytes:
    """Return the mailing, or else the flow run; empty where the click names neither."""
    return batch.mailing_id(row) or batch.flow_run_id(row) or b""


def scoped_keys(candidates: Candidates, batch: ClickBatch) -> list[bytes]:
    """Return the keys of memory that holds for one mailing, flow run or click only."""
    if not any(plan.by_mailing or plan.by_click for plan in set(candidates.plans)):
        return []
    keys = []
    for row, plan, key in zip(candidates.rows, candidates.plans, candidates.keys, strict=True):
        if plan.by_mailing and (scope := mailing_scope(batch, row)):
            keys.append(key + scope_digest(scope))
        if plan.by_click:
            keys.append(key + scope_digest(batch.click_id(row)))
    return keys
