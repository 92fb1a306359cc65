"""Selects dead letters to replay: only the newest of each click, and none twice unless asked for. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from consumer.inspect.dead_letters import DeadLetter, dead_letter, replay_noted_by
from consumer.inspect.record_view import RecordView
from schemas.bad_record import Reason


@dataclass(frozen=True, slots=True)
class DeadLetterSummary:
    """A dead letter without its bytes. `click` is the same for all dead letters of one click."""

    place: str
    timestamp: int
    facts: Mapping[str, str]
    reason: str
    copy_of: str | None
    click: tuple[str, bytes]
    as_json: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DeadLetterIndex:
    """All dead letters in the order of reading, and the times of their replays."""

    letters: Mapping[str, DeadLetterSummary] = field(default_factory=dict)
    """By place."""
    replayed_at: Mapping[str, int] = field(default_factory=dict)
    """Time of the latest replay by place, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`first` were never replayed, `again` were; `superseded` have a newer dead letter of the same click."""

    first: Sequence[DeadLetterSummary]
    again: Sequence[DeadLetterSummary]
    superseded: Sequence[DeadLetterSummary]


def index_dead_letters(records: Iterable[RecordView]) -> DeadLetterIndex:
    """Index the dead letter topic. Records of replays follow the dead letters, in the same partition."""
    letters: dict[str, DeadLetterSummary] = {}
    replayed_at: dict[str, int] = {}
    for record in records:
        replayed = replay_noted_by(record)
        if replayed is None:
            letters[record.place] = summarize(dead_letter(record))
        else:
            replayed_at[replayed] = max(record.timestamp, replayed_at.get(replayed, 0))
    return DeadLetterIndex(letters, replayed_at)


def summarize(letter: DeadLetter) -> DeadLetterSummary:
    """Return the summary that is kept while others are read."""
    return DeadLetterSummary(
        place=letter.record.place,
        timestamp=letter.record.timestamp,
        facts=letter.facts,
        reason=letter.reason,
        copy_of=letter.copy_of,
        click=letter.click,
        as_json=letter.facts_in_json(),
    )


def select(found: DeadLetterIndex, places: Iterable[str] | None, reason: Reason | None) -> Selection:
    """Select from the dead letters at these places, or from all: only the newest of each click.

    `reason` is compared with that of the newest. A copy has the time of its replay, so it is newer than its original.
    """
    candidates = list(found.letters.values()) if places is None else [found.letters[place] for place in places]
    newest = {letter.click: letter for letter in sorted(candidates, key=lambda letter: letter.timestamp)}
    chosen = [letter for letter in newest.values() if reason in (None, letter.reason)]
    places_taken = {letter.place for letter in newest.values()}
    return Selection(
        first=[letter for letter in chosen if letter.place not in found.replayed_at],
        again=[letter for letter in chosen if letter.place in found.replayed_at],
        superseded=[letter for letter in candidates if letter.place not in places_taken],
    )
