"""Hits are counted by link and epoch, the same in Python and in C."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.link import link_from_record
from consumer.changelog.entries import HitCount, encode_hits
from consumer.decision.cores import CORES
from consumer.decision.hits import Hits
from consumer.decision.plan import LinkPlan
from runtime.records.implementation import PYTHON, C
from tests.builders import a_click, a_link, an_action
from tests.click_parts import click_bytes
from tests.decision.twins import kinds, layouts, planner_for

FRAME = b"\0\0\0\0\7"
BIG = 2**62
numbers = st.integers(0, 300) | st.sampled_from([2**31, BIG])
VERSIONS = [
    [a_link(an_action(), link_id=name, version=version, epoch=version // 2) for version in range(1, 4)]
    for name in ("a", "b", "c")
]
PLANS = [[planner_for().plan(link_from_record(version, kinds())) for version in link] for link in VERSIONS]


def opened(core: str, plans: Sequence[LinkPlan], known: Sequence[HitCount | None]) -> Hits:
    values = [None if count is None else encode_hits(count) for count in known]
    return CORES[core]([click_bytes(a_click(1))], layouts()).count_hits(plans, lambda keys: values[: len(keys)])


counts = st.none() | st.builds(HitCount, st.integers(0, 2), numbers, numbers)
steps = st.lists(st.tuples(st.integers(0, 7), st.booleans(), st.integers(1, 1_000)), max_size=8)


@pytest.mark.skipif(C not in CORES, reason="a harness may be without a C compiler")
@settings(deadline=None)
@given(st.lists(st.sets(st.integers(0, 2)), min_size=3, max_size=3), st.lists(counts, min_size=3, max_size=3), steps)
def test_the_twins_count_and_write_the_same(
    versions: Sequence[set[int]], known: Sequence[HitCount | None], steps: Sequence[tuple[int, bool, int]]
) -> None:
    plans = [PLANS[link][version] for link, chosen in enumerate(versions) for version in sorted(chosen)]
    twins = [opened(core, plans, known) for core in (PYTHON, C)]
    for number, first, clicks in steps if plans else []:
        plan = plans[number % len(plans)]
        if plan in twins[0].sequential:
            hit = clicks % 3 > 0
            assert twins[0].count(plan, hit=hit, first=first) == twins[1].count(plan, hit=hit, first=first)
        else:
            for hits in twins:
                hits.add({plan: clicks}, first=first)
    pure, compiled = twins
    assert set(compiled.sequential) == set(pure.sequential)
    assert compiled.counts() == pure.counts()
    assert compiled.entries() == pure.entries()
    assert compiled.records("link.hits.v1", FRAME, 300) == pure.records("link.hits.v1", FRAME, 300)


@pytest.mark.parametrize("core", CORES)
def test_reset_restarts_counts_and_ignores_older_clicks(core: str) -> None:
    old, new = PLANS[0][0], PLANS[0][1]
    hits = opened(core, [old, new], [HitCount(0, 7, 3)])

    assert hits.count(old, hit=True, first=False) == 8
    assert hits.count(new, hit=True, first=True) == 1
    assert hits.count(old, hit=True, first=False) == 0
    assert hits.counts() == [(new, HitCount(1, 1, 1))]
