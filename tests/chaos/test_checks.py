"""Each check of a run with faults can fail: a planted violation is reported."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest

from consumer.verify.reader import Seen
from consumer.verify.reference_model import ReferenceModel
from tests.builders import a_link, an_action
from tests.chaos.counts import CONSUMED, miscounted, outcomes_of, uneven
from tests.chaos.local_state import LocalState, differing
from tests.chaos.subscriber import Watch
from tests.chaos.verification import missing_clicks, outcome_of, wrong_letters
from tests.support.records import click_by, encode_click
from tests.support.traffic import LINKS, endless_clicks
from tests.verify.sightings import all_seen


@pytest.fixture(scope="module")
def updates() -> list[Seen]:
    model = ReferenceModel(LINKS)
    for click in islice(endless_clicks(seed=1, recipients=5), 50):
        model.click(click)
    return [each for each in all_seen(model.expected) if each.topic == "crm-updates.set-field.v1"]


def violations_of(seen: list[Seen]) -> list[str]:
    watch = Watch()
    return [sentence for each in seen for sentence in watch.see("set_field", each.key, each.value)]


def test_subscriber_accepts_correct_updates(updates: list[Seen]) -> None:
    assert violations_of(updates) == []


def test_subscriber_notices_doubled_update(updates: list[Seen]) -> None:
    (sentence,) = violations_of([*updates, updates[-1]])

    assert "came twice" in sentence


def test_subscriber_notices_reordered_updates(updates: list[Seen]) -> None:
    first, second = [each for each in updates if each.key == updates[0].key][:2]

    assert "of a later click" in violations_of([second, first])[0]


def test_subscriber_notices_invalid_update() -> None:
    assert "cannot be read" in violations_of([a_record(b"\x00")])[0]


def test_lost_or_changed_acknowledged_click_is_noticed() -> None:
    topic = [a_record(b"one"), a_record(b"two", offset=1)]

    assert missing_clicks({(0, 0): b"one", (0, 1): b"two"}, topic) == []
    assert "first at (0, 2)" in missing_clicks({(0, 0): b"one", (0, 2): b"three"}, topic)[0]
    assert "first at (0, 1)" in missing_clicks({(0, 1): b"other"}, topic)[0]


def test_wrong_dead_letters_are_noticed() -> None:
    bad = [a_record(b"\x00"), a_record(None, offset=1)]
    letters = [letter_of(each) for each in bad]

    assert wrong_letters(bad, letters) == []
    assert wrong_letters(bad, letters[:1]) == ["1 dead letters are missing, the first of the click at (0, 1)"]
    assert wrong_letters(bad, [*letters, letters[0]]) == [
        "1 dead letters are too many, the first of the click at (0, 0)"
    ]
    assert len(wrong_letters(bad, [letters[0], replace(letters[1], value=b"")])) == 2


def test_outcome_follows_from_bytes_and_partition() -> None:
    model = ReferenceModel([a_link(an_action("SetField"))], partitions=1)
    click = a_record(encode_click(click_by("r-1")), partitions=1)

    outcomes = [outcome_of(each, model) for each in (click, click, replace(click, value=b"\x00"))]

    assert outcomes == ["applied", "duplicate", "dead_lettered"]
    assert outcome_of(replace(click, partition=1, partitions=2), model) != outcome_of(
        replace(click, partition=0, partitions=2), model
    )


def test_replay_of_the_changelog_is_right_at_any_position() -> None:
    changelog = changelog_of({b"a": b"1"}, {b"b": b"2"}, {b"a": b"3"})

    states = [LocalState("x", 0, 3, {b"a": b"3", b"b": b"2"}), LocalState("y", 0, 2, {b"a": b"1", b"b": b"2"})]
    assert differing(states, changelog) == []


@pytest.mark.parametrize(
    "entries",
    [{b"a": b"3", b"b": b"0"}, {b"a": b"3"}, {b"a": b"3", b"b": b"2", b"c": b"4"}],
    ids=["another value", "a missing entry", "an entry that the changelog does not have"],
)
def test_a_state_that_differs_from_the_changelog_is_noticed(entries: dict[bytes, bytes]) -> None:
    changelog = changelog_of({b"a": b"1"}, {b"b": b"2"}, {b"a": b"3"})

    (sentence,) = differing([LocalState("x", 0, 3, entries)], changelog)

    assert "worker x for partition 0" in sentence


def test_partition_without_complete_state_is_noticed() -> None:
    changelog = changelog_of({b"a": b"1"}, {b"b": b"2"})

    assert "reaches offset 1" in differing([LocalState("x", 0, 1, {b"a": b"1"})], changelog)[0]


def test_counts_that_do_not_add_up_are_noticed() -> None:
    even = {CONSUMED: 3.0, ("clicks_total", "applied"): 2.0, ("clicks_total", "test"): 1.0}

    assert uneven("a", even) == []
    assert uneven("a", even | {CONSUMED: 4.0}) == ["worker a consumed 4 records and counts 3"]


def test_counts_that_are_not_what_happened_are_noticed() -> None:
    counted = outcomes_of([{("clicks_total", "applied"): 2.0}, {("clicks_total", "applied"): 1.0}])

    assert miscounted(counted, Counter(applied=3)) == []
    assert miscounted(counted, Counter(applied=2, duplicate=1)) == [
        "the workers count 3 applied, and there are 2",
        "the workers count 0 duplicate, and there are 1",
    ]


def a_record(value: bytes | None, *, offset: int = 0, key: bytes = b"acme/r-1", partitions: int = 4) -> Seen:
    return Seen("topic", 0, offset, 0, key, value, [], partitions)


def letter_of(record: Seen) -> Seen:
    headers = [("dlq.partition", b"%d" % record.partition), ("dlq.offset", b"%d" % record.offset)]
    return replace(record, offset=record.offset + 100, headers=headers)


def changelog_of(*entries: dict[bytes, bytes]) -> list[Seen]:
    return [
        a_record(value, offset=offset, key=key) for offset, entry in enumerate(entries) for key, value in entry.items()
    ]
