"""The whole corpus of bad records, each between good neighbours."""

from collections import Counter

import pytest
from confluent_kafka import murmur2

from consumer.decision.outcome import ClickOutcome
from tests.bad_records import LINK, BadRecordCase, bad_records
from tests.builders import a_click
from tests.click_parts import click_bytes
from tests.decision.twins import DecisionHarness, decoded
from tests.support.planted import MARK

CASES = bad_records()
PARTITIONS = 3


def neighbours(partition: int) -> tuple[str, str]:
    """Two recipients whose clicks belong to the partition."""
    recipients = (f"good-{number}" for number in range(100))
    first, second, *_ = (r for r in recipients if murmur2(f"acme/{r}".encode(), PARTITIONS) == partition)
    return first, second


def test_there_are_at_least_sixty_and_no_two_alike() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)
    assert len({case.value for case in CASES if case.reason and case.value}) > 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_record_does_not_affect_its_neighbours(case: BadRecordCase) -> None:
    right = murmur2(case.right_key, PARTITIONS)
    partition = (right + 1) % PARTITIONS if case.misplaced else right
    before, after = neighbours(partition)
    good = [click_bytes(a_click(n, link_id=LINK["link_id"], recipient_id=r)) for n, r in enumerate((before, after))]
    harness = DecisionHarness(LINK, partitions=PARTITIONS)

    decision = harness.decide(good[0], case.value, good[1], partition=partition)

    applied = [update["recipient_id"] for update in decoded(decision.updates)]
    assert applied == [
        before,
        *([case.click["recipient_id"]] if case.click and case.outcome == "applied" else []),
        after,
    ]
    assert {row: str(bad.reason) for row, bad in decision.dead_letters.items()} == (
        {1: case.reason} if case.reason else {}
    )
    assert decision.rerouted == ([(1, case.right_key, right)] if case.outcome == "rerouted" else [])
    assert +decision.clicks == Counter([ClickOutcome.APPLIED, ClickOutcome.APPLIED, case.outcome])
    assert decision.counts().balanced


def test_all_of_them_in_one_batch_are_what_each_is_alone() -> None:
    harness = DecisionHarness(LINK)
    wanted = Counter(
        "applied" if case.outcome == "rerouted" and case.click and not case.click["test"] else case.outcome
        for case in CASES
    )
    wanted["test"] += 1
    wanted["rerouted"] = 0

    decision = harness.decide(*(case.value for case in CASES))

    assert {row: str(bad.reason) for row, bad in decision.dead_letters.items()} == {
        row: case.reason for row, case in enumerate(CASES) if case.reason
    }
    assert +decision.clicks == +wanted


@pytest.mark.parametrize("case", [case for case in CASES if case.reason], ids=lambda case: case.name)
def test_dead_letter_detail_has_no_personal_data(case: BadRecordCase) -> None:
    decision = DecisionHarness(LINK).decide(case.value)

    detail = decision.dead_letters[0].detail
    assert detail
    assert not any(part in detail for part in ("odd-", MARK, "Mozilla", "192.0.2"))
