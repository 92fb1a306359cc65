"""The cores bring about the same, whatever the bytes are."""

import os
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.decision.cores import CORES, best_core
from consumer.decision.decision import Decision
from runtime.records.implementation import C
from tests.builders import Record, a_click, a_link, an_action
from tests.click_parts import click_bytes
from tests.decision.strategies import clicks
from tests.decision.twins import DecisionHarness, core_on_trial
from tests.schemas.strategies import spoilt

LINKS = [
    a_link(an_action(), an_action("SetField", slot=1)),
    a_link(an_action(rule="once_per_mailing"), an_action(slot=1, rule="always"), link_id="a/b"),
    a_link(an_action(), tenant_id="t.2"),
    a_link(an_action(guard="confirm"), an_action("SetField", slot=1, guard="confirm"), tenant_id="t.2", link_id="a/b"),
    a_link(link_id="spring", version=2),
    a_link(an_action(), an_action("SetField", slot=1, guard="confirm"), version=3),
]
OTHERS: list[Record] = [{"recipient_id": "r" * size} for size in (48, 123, 124, 2_000)]
usual = clicks.map(click_bytes)
values = usual | st.sampled_from([a_click(9) | other for other in OTHERS]).map(click_bytes)
batches = st.lists(usual | values | spoilt(usual) | st.none() | st.binary(max_size=20), min_size=1, max_size=12)


def brought_about(decision: Decision) -> list[Any]:
    """All that a decision says, where it matters in the order in which it says it."""
    return [
        decision.updates,
        decision.rerouted,
        {row: (bad.reason, bad.detail) for row, bad in decision.dead_letters.items()},
        list(decision.entries.items()),
        decision.hits.counts(),
        decision.hits.entries(),
        decision.hits.records("link.hits.v1", b"\0\0\0\0\7", 3),
        list(decision.clicked_at),
        decision.counts(),
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(batches, min_size=1, max_size=3), st.integers(1, 3), st.sampled_from([None, 3_600_000]))
def test_every_core_brings_about_the_same(
    drawn: Sequence[Sequence[bytes | None]], partitions: int, retention_ms: int | None
) -> None:
    harness = DecisionHarness(*LINKS, partitions=partitions, retention_ms=retention_ms)
    for batch in drawn:
        decisions = []
        for name in CORES:
            core_on_trial.set(name)
            decisions.append(harness.decide(*batch))
        assert all(brought_about(each) == brought_about(decisions[0]) for each in decisions[1:])
        harness.keep(decisions[0])


@pytest.mark.skipif(not os.environ.get("CI"), reason="a local installation may lack a C compiler")
def test_ci_has_the_compiled_core_as_best() -> None:
    assert best_core() == C


def test_every_core_finds_the_links_of_a_batch_about_many() -> None:
    links = [a_link(an_action(), link_id=f"link-{number}") for number in range(0, 1_500, 2)]
    harness = DecisionHarness(*links, partitions=1, retention_ms=None)
    batch = [
        click_bytes(
            a_click(number, recipient_id=f"r-{number % 7}", link_id=f"link-{number % 1_500}", link_version=None)
        )
        for number in range(3_500)
    ]
    decisions = []
    for name in CORES:
        core_on_trial.set(name)
        decisions.append(harness.decide(*batch))
    assert len(decisions[0].hits.counts()) == len(links)
    assert all(brought_about(each) == brought_about(decisions[0]) for each in decisions[1:])
