"""`link-actions dlq`: dead letters, looked at and replayed."""

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from consumer.cli.command_line import PlainCommand, PlainGroup
from consumer.cli.entry import command_settings, open_registry, topic_names
from consumer.cli.output import complain, say, say_json
from consumer.cli.table import print_table
from consumer.config.settings import Settings
from consumer.errors import Unavailable, UsageError
from consumer.inspect.dead_letter_text import letter_in_json, letter_in_text
from consumer.inspect.dead_letters import DeadLetter, dead_letter, place_of, replay_noted_by, replay_of
from consumer.inspect.record_view import time_of, view_record
from consumer.kafka.admin.acls import Role, acls_of
from consumer.kafka.admin.permission import require_acls
from consumer.kafka.admin.topic_admin import KafkaTopicAdmin, require_topics
from consumer.kafka.admin.topic_reader import Span, TopicReader, open_reader
from consumer.kafka.publisher import ANY_PARTITION, open_publisher
from consumer.maintenance.replay import Listed, Selection, Survey, select, survey
from consumer.registry.codecs import reading_codec
from consumer.terminal.text import counted
from schemas.bad_record import Reason
from schemas.click import ClickLayout, click_layout
from schemas.codec import Codec
from schemas.dead_letter_headers import REPLAYED
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

GROUP_EXAMPLE = """\b
Example:
  link-actions dlq list
  link-actions dlq replay --reason unknown_version --dry-run"""

ReasonOption = Annotated[Reason | None, typer.Option(help="Only those with this reason.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For a program to read.")]

LIST_EXAMPLE = """\b
Example:
  link-actions dlq list --reason unknown_schema"""
SHOW_EXAMPLE = """\b
Example:
  link-actions dlq show 3:1042"""
REPLAY_EXAMPLE = """\b
Example:
  link-actions dlq replay --reason unknown_version --dry-run"""


MOST_NAMED = 5
"""Places that a question or a refusal names."""


@dataclass(frozen=True, slots=True)
class DeadLetterTopic:
    """The topic of dead letters, open for reading."""

    settings: Settings
    names: TopicNames
    reader: TopicReader
    partitions: int
    """Of the clicks; the dead letters have as many."""
    codec: Codec
    """Of the clicks."""

    def survey(self) -> Survey:
        """Read all that are there now."""
        return survey(map(view_record, self.reader.read(self._spans())))

    def at(self, place: str) -> DeadLetter:
        """Return the one in this place; raises UsageError where there is none."""
        partition, offset = _parsed(place)
        for span in self._spans():
            if span.partition == partition and span.end is not None and span.start <= offset < span.end:
                for record in map(view_record, self.reader.read([replace(span, start=offset, end=offset + 1)])):
                    if replay_noted_by(record) is None:
                        return dead_letter(record)
        raise no_letter_at([place])

    def read(self, places: Collection[str]) -> Iterator[DeadLetter]:
        """Yield those in these places with all their bytes, reading the partitions as far as they lie in them."""
        offsets: dict[int, list[int]] = {}
        for partition, offset in map(place_of, places):
            offsets.setdefault(partition, []).append(offset)
        topic = self.names.dead_letters
        spans = [Span(topic, partition, min(found), max(found) + 1) for partition, found in offsets.items()]
        letters = (dead_letter(view_record(message)) for message in self.reader.read(spans))
        return (letter for letter in letters if letter.record.place in places)

    def layouts(self) -> Mapping[bytes, ClickLayout]:
        """Return how to cut an identity out of a click; schemas that are none of a click are left out."""
        layouts = {}
        for frame, writer in self.codec.writers.items():
            with suppress(ValueError):
                layouts[frame] = click_layout(writer)
        return layouts

    def _spans(self) -> Sequence[Span]:
        return self.reader.spans({self.names.dead_letters: self.partitions})


@app.callback(epilog=GROUP_EXAMPLE)
def dlq() -> None:
    """Look at dead letters and replay them."""


@app.command("list", cls=PlainCommand, epilog=LIST_EXAMPLE)
def list_letters(*, reason: ReasonOption = None, as_json: JsonOption = False) -> None:
    """List dead letters: place, time, reason, which record each was, and whether it was replayed."""
    with open_letters() as letters:
        found = letters.survey()
    chosen = [letter for letter in found.letters.values() if reason in (None, letter.reason)]
    if as_json:
        for letter in chosen:
            say_json({**letter.as_json, "replayed_at": found.replayed_at.get(letter.place)})
        return
    if chosen:
        print_table(("place", "when (UTC)", "reason", "click", "detail"), [_row(letter, found) for letter in chosen])
    reasons = Counter(letter.reason for letter in chosen)
    counts = ", ".join(f"{number} {name}" for name, number in reasons.most_common())
    say(counted(len(chosen), "dead letter") + (f": {counts}" if counts else ""))


@app.command(cls=PlainCommand, epilog=SHOW_EXAMPLE)
def show(
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="As dlq list shows it.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter with all its bytes, and what can be read of them. It may tell who clicked."""
    with open_letters() as letters:
        letter = letters.at(place)
        lines = [letter_in_json(letter, letters.codec)] if as_json else letter_in_text(letter, letters.codec)
    for line in lines:
        say(line)


@app.command(cls=PlainCommand, epilog=REPLAY_EXAMPLE)
def replay(
    places: Annotated[list[str] | None, typer.Argument(metavar="PARTITION:OFFSET", help="Default: all.")] = None,
    *,
    reason: ReasonOption = None,
    again: Annotated[bool, typer.Option("--again", help="Replay those, too, that were replayed before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be replayed.")] = False,
) -> None:
    """Publish dead letters as the clicks they were, once what made them bad is fixed.

    A click that goes bad again becomes a new dead letter, a copy: of all dead letters of one click only the newest is
    replayed. One that was replayed before is replayed again with --again, or when you say so on a terminal.

    That does no harm while the click is remembered: one that was applied is a duplicate then. A click that is over 24
    hours older than the newest ones is not remembered by `always` actions, one that is over a week older than the
    retention by none.

    The dead letter stays where it is, with a note of the replay behind it.
    """
    named = None if not places else ["{}:{}".format(*_parsed(place)) for place in dict.fromkeys(places)]
    with open_letters() as letters:
        found = letters.survey()
        missing = [place for place in named or () if place not in found.letters]
        if missing:
            raise no_letter_at(missing)
        selection = select(found, named, reason)
        if dry_run:
            _say_what_would_be(selection, letters.names.clicks, again=again)
            return
        chosen = [*selection.first, *_permitted(selection.again, is_named=named is not None, again=again)]
        _publish({letter.place for letter in chosen}, letters)
    if selection.superseded:
        complain(f"{counted(len(selection.superseded), 'dead letter')} left out: a newer one is of the same click")


@contextmanager
def open_letters() -> Iterator[DeadLetterTopic]:
    """Open the dead letters of this installation; raises Unavailable where the topic is missing."""
    settings = command_settings()
    names = topic_names(settings)
    require_acls(settings.kafka, acls_of(Role.OPERATOR, settings.kafka, names))
    states = require_topics(KafkaTopicAdmin(settings.kafka), [names.clicks, names.dead_letters])
    with closing(open_reader(settings.kafka)) as reader, open_registry(settings) as registry:
        codec = reading_codec(names.clicks, load_schemas()["LinkClicked"], registry)
        yield DeadLetterTopic(settings, names, reader, states[names.clicks].partitions, codec)


def no_letter_at(places: Iterable[str]) -> UsageError:
    """Return the error that there is none in these places."""
    return UsageError(f"There is no dead letter at {', '.join(places)}; link-actions dlq list shows those there are")


def _permitted(letters: Sequence[Listed], *, is_named: bool, again: bool) -> Sequence[Listed]:
    """Return those of the letters, all replayed before, that may be replayed again."""
    if again or not letters:
        return letters
    these = ", ".join(letter.place for letter in letters[:MOST_NAMED]) + (" and others" * (len(letters) > MOST_NAMED))
    sentence = f"{counted(len(letters), 'dead letter')} replayed before ({these})"
    if sys.stdin.isatty() and sys.stderr.isatty():
        return letters if typer.confirm(f"{sentence}. Replay again?", err=True) else []
    if is_named:
        raise UsageError(f"{sentence}; add --again to replay what is named here once more")
    complain(f"{sentence} left out; add --again to replay everything once more")
    return []


def _publish(places: Collection[str], letters: DeadLetterTopic) -> None:
    """Note the replays first: cut off in between, a click that was not replayed is asked about, and none is unasked."""
    notes = open_publisher(letters.settings.kafka)
    for place in places:
        headers = [(REPLAYED, place.encode())]
        notes.publish(letters.names.dead_letters, None, None, headers=headers, partition=place_of(place)[0])
    notes.finish()
    if notes.failed:
        reasons = ", ".join(notes.failed)
        raise Unavailable(
            f"Replays could not be noted in {letters.names.dead_letters} ({reasons}); nothing was replayed"
        )
    layouts, clicks = letters.layouts(), open_publisher(letters.settings.kafka)
    for letter in letters.read(places) if places else ():
        click = replay_of(letter, layouts, letters.partitions)
        clicks.publish(
            letters.names.clicks,
            click.value,
            click.key,
            headers=click.headers,
            partition=ANY_PARTITION if click.partition is None else click.partition,
            name=letter.record.place,
        )
    clicks.finish()
    say(f"replayed {counted(clicks.confirmed, 'dead letter')} to {letters.names.clicks}")
    if clicks.failed:
        reasons = "; ".join(f"{counted(number, 'time')} {reason}" for reason, number in clicks.failed.items())
        command = f"link-actions dlq replay --again {' '.join(sorted(clicks.unwritten))}"
        raise Unavailable(f"{clicks.failed.total()} could not be written ({reasons}); fix that, then run {command}")


def _say_what_would_be(selection: Selection, topic: str, *, again: bool) -> None:
    for letter in selection.first:
        say(f"{letter.place} {letter.reason}")
    for letter in selection.again:
        say(f"{letter.place} {letter.reason} (replayed before{'' if again else ': needs --again'})")
    number = len(selection.first) + (len(selection.again) if again else 0)
    say(f"would replay {counted(number, 'dead letter')} to {topic}")


def _row(letter: Listed, found: Survey) -> tuple[object, ...]:
    click = f"{letter.facts.get('partition', '')}:{letter.facts.get('offset', '')}"
    remarks = [
        *([f"copy of {letter.copy_of}"] if letter.copy_of else []),
        *(["replayed"] if letter.place in found.replayed_at else []),
    ]
    told = f" ({', '.join(remarks)})" if remarks else ""
    return letter.place, time_of(letter.timestamp), letter.reason, click, letter.facts.get("detail", "") + told


def _parsed(text: str) -> tuple[int, int]:
    try:
        return place_of(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
