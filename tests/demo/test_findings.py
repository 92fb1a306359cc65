from collections.abc import Callable
from dataclasses import replace

import pytest

from consumer.demo.evidence import Evidence
from consumer.demo.findings import Findings, examine
from consumer.demo.sample import Sample
from tests.demo.perfect import CLICKS, PARTITIONS, a_sample, letter, perfect_evidence


@pytest.fixture(scope="module")
def sample() -> Sample:
    return a_sample()


@pytest.fixture(scope="module")
def evidence(sample: Sample) -> Evidence:
    return perfect_evidence(sample)


def examined(evidence: Evidence, sample: Sample) -> Findings:
    return examine(evidence, sample.broken, sent=len(sample.publications), partitions=PARTITIONS)


def test_perfect_evidence_is_exact(evidence: Evidence, sample: Sample) -> None:
    findings = examined(evidence, sample)

    assert findings.is_exact
    assert str(findings.comparison).startswith(
        f"{len(evidence.updates)} expected, {len(evidence.updates)} seen: 0 missing"
    )
    assert sum(findings.updates_by_kind.values()) == len(evidence.updates)


def test_every_record_has_one_outcome(evidence: Evidence, sample: Sample) -> None:
    findings = examined(evidence, sample)

    assert sum(findings.outcomes.values()) == findings.records == len(evidence.clicks)
    assert findings.records == CLICKS + len(sample.broken) + findings.outcomes["rerouted"]
    assert len(findings.clicks) == CLICKS


def without_an_update(evidence: Evidence) -> Evidence:
    return replace(evidence, updates=evidence.updates[1:])


def with_an_update_twice(evidence: Evidence) -> Evidence:
    again = replace(evidence.updates[7], offset=len(evidence.updates))
    return replace(evidence, updates=[*evidence.updates, again])


def with_an_update_changed(evidence: Evidence) -> Evidence:
    first, *rest = evidence.updates
    return replace(evidence, updates=[replace(first, key=b"acme/another"), *rest])


def without_a_dead_letter(evidence: Evidence) -> Evidence:
    return replace(evidence, dead_letters=evidence.dead_letters[1:])


def with_a_dead_letter_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, dead_letters=[*evidence.dead_letters, evidence.dead_letters[0]])


def with_another_reason(evidence: Evidence) -> Evidence:
    first, *rest = evidence.dead_letters
    return replace(evidence, dead_letters=[letter(first, "any other reason"), *rest])


def with_hits_of_before(evidence: Evidence) -> Evidence:
    return replace(evidence, hits=evidence.hits[1:])


def without_a_rerouted_click(evidence: Evidence) -> Evidence:
    last = max(evidence.clicks, key=lambda seen: seen.offset)
    return replace(evidence, clicks=[seen for seen in evidence.clicks if seen is not last])


BUGS: list[tuple[Callable[[Evidence], Evidence], str]] = [
    (without_an_update, "missing"),
    (with_an_update_twice, "doubled"),
    (with_an_update_changed, "differing"),
    (without_a_dead_letter, "missing_dead_letters"),
    (with_a_dead_letter_twice, "surplus_dead_letters"),
    (with_another_reason, "missing_dead_letters"),
    (with_hits_of_before, "wrong_hits"),
    (without_a_rerouted_click, "lost"),
]


@pytest.mark.parametrize(("plant", "where"), BUGS, ids=[plant.__name__ for plant, _ in BUGS])
def test_each_planted_fault_is_found(
    evidence: Evidence, sample: Sample, plant: Callable[[Evidence], Evidence], where: str
) -> None:
    findings = examined(plant(evidence), sample)
    seen = getattr(findings.comparison, where, None) or getattr(findings, where, None)

    assert not findings.is_exact
    assert seen
