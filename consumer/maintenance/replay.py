"""Which dead letters a replay takes: of each click the newest one only, and none a second time unasked. Pure."""

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
    """All dead letters there are, in the order in which they were read, and when which of them were replayed."""

    letters: Mapping[str, DeadLetterSummary] = field(default_factory=dict)
    """By place."""
    replayed_at: Mapping[str, int] = field(default_factory=dict)
    """By place, in milliseconds since 1970; the latest time of those that were replayed."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a replay takes: `first` was never replayed, `again` was; `superseded` has a newer one of the same click."""

    first: Sequence[DeadLetterSummary]
    again: Sequence[DeadLetterSummary]
    superseded: Sequence[DeadLetterSummary]


def index_dead_letters(records: Iterable[RecordView]) -> DeadLetterIndex:
    """Read the topic of the dead letters. Notes of replays lie behind the letters, in the same partition."""
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
    """Return what is kept of a letter while others are read."""
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
    """Choose among the letters in these places, or among all; of those for one click the newest stands for all.

    The reason is that of the newest one. A copy has the time of its replay, so it is newer than its original.
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
