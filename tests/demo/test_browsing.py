"""The clicks that go through an edge count in the evidence like the others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from consumer.demo.browsing import sent_link
from consumer.demo.clicks import UNDEFINED_LINK
from consumer.demo.evidence import Evidence
from consumer.demo.findings import Findings, examine
from consumer.demo.sample import Sample, make_sample
from consumer.verify.reader import Seen, decode
from schemas.codec import Codec
from schemas.identity import partition_of
from schemas.record_schema import load_schemas
from schemas.token_payload import pack
from tests.demo.perfect import CLICKS, NOON, PARTITIONS, a_sample, perfect_evidence

BROWSED = 200


def from_edge(click: Mapping[str, Any], offset: int) -> Seen:
    key = f"{click['tenant_id']}/{click['recipient_id']}".encode()
    value = Codec(load_schemas()["LinkClicked"]).encode({**click, "fetch_mode": "navigate"})
    return Seen("demo-test.link.clicks.v1", partition_of(key, PARTITIONS), offset, NOON, key, value, [], PARTITIONS)


def test_sample_leaves_to_browsers_what_they_can_click() -> None:
    sample = make_sample(CLICKS, seed=1, now_ms=NOON, partitions=PARTITIONS, browsed=BROWSED)

    assert len(sample.browsed) == BROWSED
    assert len(sample.publications) == len(a_sample().publications) - BROWSED
    assert not any(click["test"] or click["link_id"] == UNDEFINED_LINK for click in sample.browsed)
    assert all(pack(sent_link(click)) for click in sample.browsed)


def browsed_run(*, lost: int = 0, doubled: int = 0) -> Findings:
    """Return the findings of a run whose clicks by browsers have no effect: test clicks."""
    sample = a_sample(1_500)
    evidence = perfect_evidence(sample)
    clicks = [
        {**decode("LinkClicked", seen.value), "click_id": f"edge-{number}", "test": True}
        for number, seen in enumerate(decodable(evidence, sample)[:10])
    ]
    published = [*clicks[lost:], *clicks[len(clicks) - doubled :]]
    seen = [from_edge(click, 10_000 + number) for number, click in enumerate(published)]
    tampered = replace(evidence, clicks=[*evidence.clicks, *seen])
    answered = {str(click["click_id"]) for click in clicks}
    sent = len(sample.publications)
    return examine(tampered, sample.broken, sent=sent, partitions=PARTITIONS, answered=answered)


def decodable(evidence: Evidence, sample: Sample) -> list[Seen]:
    broken = {record.value for record in sample.broken}
    return [seen for seen in evidence.clicks if seen.value not in broken]


def test_every_answered_click_must_be_in_the_topic() -> None:
    assert (browsed_run().lost_by_edge, browsed_run().lost) == (0, 0)
    assert browsed_run().is_exact
    assert (browsed_run(lost=2).lost_by_edge, browsed_run(lost=2).is_exact) == (2, False)


def test_doubled_click_hides_no_lost_one() -> None:
    run = browsed_run(lost=1, doubled=1)

    assert (run.lost_by_edge, run.doubled_by_edge, run.lost) == (1, 1, 0)
    assert not run.is_exact
    assert browsed_run(doubled=3).is_exact
