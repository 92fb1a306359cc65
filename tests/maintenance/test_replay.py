"""Selection of dead letters to replay."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.inspect.dead_letters import dead_letter, replay_of
from consumer.inspect.record_view import RecordView
from consumer.maintenance.replay import DeadLetterIndex, Selection, index_dead_letters, select
from schemas.bad_record import Reason

REASON = (("dlq.reason", b"unknown_version"), ("dlq.detail", b"x"))


def a_letter(offset: int, **fields: Any) -> RecordView:
    record = RecordView(
        topic="dlq",
        partition=0,
        offset=offset,
        timestamp=1_000 + offset,
        key=b"acme/r-1",
        headers=REASON,
        value=b"click",
    )
    return replace(record, **fields)


def a_copy(offset: int, of: RecordView, **fields: Any) -> RecordView:
    """Return the dead letter that the worker writes if the replayed click fails again."""
    headers = (*replay_of(dead_letter(of), {}, 1).headers, *REASON)
    return replace(of, offset=offset, timestamp=1_000 + offset, headers=headers, **fields)


def a_note(offset: int, place: bytes) -> RecordView:
    return a_letter(offset, key=None, value=None, headers=(("dlq.replayed", place),))


def chosen(
    found: DeadLetterIndex, *places: str, reason: Reason | None = None
) -> tuple[list[str], list[str], list[str]]:
    selection: Selection = select(found, places or None, reason)
    first, again, superseded = (
        [letter.place for letter in letters] for letters in (selection.first, selection.again, selection.superseded)
    )
    return first, again, superseded


def test_a_copy_is_not_replayed_with_its_original() -> None:
    original, other = a_letter(0), a_letter(1, value=b"other")
    copy = a_copy(3, original)
    found = index_dead_letters([original, other, a_note(2, b"0:0"), copy])

    assert chosen(found) == (["0:3", "0:1"], [], ["0:0"])
    assert chosen(found, "0:0", "0:3") == (["0:3"], [], ["0:0"])


def test_click_that_fails_repeatedly_is_replayed_once() -> None:
    records = [a_letter(0)]
    for number in range(1, 6):
        place = records[-1].place.encode()
        records += [a_note(2 * number, place), a_copy(2 * number + 1, records[-1])]
        found = index_dead_letters(records)

        assert chosen(found)[0] == [records[-1].place]
        assert found.letters[records[-1].place].copy_of == "0:0"


def test_replayed_letter_needs_confirmation() -> None:
    found = index_dead_letters([a_letter(0), a_letter(1, value=b"other"), a_note(2, b"0:0"), a_note(5, b"0:0")])

    assert chosen(found) == (["0:1"], ["0:0"], [])
    assert chosen(found, "0:0") == ([], ["0:0"], [])
    assert found.replayed_at == {"0:0": 1_005}
    assert list(found.letters) == ["0:0", "0:1"]


def test_the_reason_is_that_of_the_newest_copy() -> None:
    original = a_letter(0)
    copy = replace(a_copy(1, original), headers=(("dlq.replayed", b"0:0"), ("dlq.reason", b"too_large")))
    found = index_dead_letters([original, copy])

    assert chosen(found, reason=Reason.UNKNOWN_VERSION)[0] == []
    assert chosen(found, reason=Reason.TOO_LARGE)[0] == ["0:1"]


@pytest.mark.parametrize("fields", [{"value": b"other"}, {"key": b"acme/r-2"}, {"value": None}, {"key": None}])
def test_false_copy_hides_no_letter(fields: dict[str, Any]) -> None:
    original = a_letter(0)
    found = index_dead_letters([original, a_copy(1, original, **fields)])

    assert chosen(found) == (["0:0", "0:1"], [], [])


def test_dead_letter_without_value_is_not_a_replay_note() -> None:
    original = a_letter(0, value=None)
    found = index_dead_letters([original, a_copy(1, original)])

    assert list(found.letters) == ["0:0", "0:1"]
    assert found.replayed_at == {}


@given(st.lists(st.sampled_from(["new", "replay all"]), max_size=12))
def test_repeated_replay_of_all_duplicates_nothing(steps: list[str]) -> None:
    """Every replayed click fails again, as it does if the cause is not fixed."""
    log: list[RecordView] = []
    clicks = 0
    for step in steps:
        if step == "new":
            log.append(a_letter(len(log), value=b"%d" % clicks))
            clicks += 1
            continue
        by_place = {record.place: record for record in log}
        replayed = chosen(index_dead_letters(log))[0]
        for place in replayed:
            log.append(a_note(len(log), place.encode()))
            log.append(a_copy(len(log), by_place[place]))
        assert len(replayed) == clicks
