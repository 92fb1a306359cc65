"""The clicks of a batch that need a look-up in the dedupe state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.decision.plan import LinkPlan
from schemas.identity import click_digest, flow_scope, scope_digest

LookUp = Callable[[Sequence[bytes]], list[bytes | None]]
"""Looks keys up in the state of one partition; the values come in the order of the keys."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Clicks on a defined link that are no test and in their right partition: row, plan, dedupe key and time of each.

    `links` has every plan once, in the order in which they were first clicked.
    """

    rows: Sequence[int]
    plans: Sequence[LinkPlan]
    keys: Sequence[bytes]
    times: Sequence[int]
    links: Sequence[LinkPlan]


class Clicks(Protocol):
    """Access to the fields of a click by its row in the batch."""

    def facts(self, row: int) -> tuple[bytes, bytes, bytes, int, int]:
        """Return record key, shared fields, recipient, flags and time."""

    def plan_key(self, row: int) -> tuple[bytes, int]:
        """Return the key of the click's plan: the encoded tenant and link, and the version."""

    def click_id(self, row: int) -> bytes:
        """Return the click's id, UTF-8."""

    def mailing_id(self, row: int) -> bytes | None:
        """Return the mailing id, UTF-8; None if the click has none."""

    def flow_id(self, row: int) -> bytes | None:
        """Return the flow id, UTF-8; None if the click has none."""

    def flow_run_id(self, row: int) -> bytes | None:
        """Return the flow run id, UTF-8; None if the click has none."""


def mailing_scope(batch: Clicks, row: int) -> bytes:
    """Return the scope of the mailing, otherwise of the flow run; empty if the click has neither."""
    mailing_id = batch.mailing_id(row)
    if mailing_id is not None:
        return mailing_id
    flow_run_id = batch.flow_run_id(row)
    return b"" if flow_run_id is None else flow_scope(batch.flow_id(row) or b"", flow_run_id)


def scoped_keys(candidates: Candidates, batch: Clicks) -> list[bytes]:
    """Return the keys of the dedupe entries that cover only one mailing, flow run or click."""
    if not any(plan.by_mailing or plan.by_click for plan in candidates.links):
        return []
    keys = []
    for row, plan, key in zip(candidates.rows, candidates.plans, candidates.keys, strict=True):
        if plan.by_mailing and (scope := mailing_scope(batch, row)):
            keys.append(key + scope_digest(scope))
        if plan.by_click:
            keys.append(key + click_digest(batch.click_id(row)))
    return keys
