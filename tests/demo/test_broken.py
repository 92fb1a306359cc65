from collections import Counter

from consumer.decision.cores import CORES, best_core
from consumer.decision.decide import decide
from consumer.decision.decision import Rules
from consumer.decision.plan import LinkPlan
from schemas.click import click_layout
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from tests.demo.perfect import NOON, PARTITIONS, a_sample

SCHEMA = load_schemas()["LinkClicked"]


class NoPlans:
    """No link is defined."""

    ready: dict[tuple[bytes, int], LinkPlan | None] = {}  # noqa: RUF012 - it is only read

    def find(self, _link_key: bytes, _version: int) -> LinkPlan | None:
        return None


def test_broken_record_gets_the_reason_it_names() -> None:
    broken = a_sample().broken
    decision = decide(
        [record.value for record in broken],
        0,
        layouts={Codec(SCHEMA).frame: click_layout(SCHEMA)},
        plans=NoPlans(),
        look_up=lambda keys: [None] * len(keys),
        open_core=CORES[best_core()],
        rules=Rules(PARTITIONS),
        now=NOON,
    )

    assert [decision.dead_letters[row].reason for row in range(len(broken))] == [each.reason for each in broken]


def test_there_are_one_to_three_of_each_kind() -> None:
    reasons = Counter(record.reason for record in a_sample().broken)

    assert len(reasons) == 13
    assert set(reasons.values()) <= {1, 2, 3}


def test_some_clicks_are_misrouted() -> None:
    sample = a_sample()
    explicit = [publication for publication in sample.publications if publication.partition >= 0]

    assert len(sample.publications) == sample.clicks + len(sample.broken)
    assert 1 <= len(explicit) <= 15
