"""`link-actions dlq`: dead letters, looked at and replayed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated

import typer

from consumer.cli.command_line import PlainCommand, PlainGroup
from consumer.cli.entry import command_settings, open_registry, topic_names
from consumer.cli.letter_text import letter_in_json, letter_in_text
from consumer.cli.output import say, say_json
from consumer.cli.table import print_table
from consumer.codecs import reading_codec
from consumer.dead_letters import DeadLetter, dead_letter, place_of, replay_of
from consumer.errors import Unavailable, UsageError
from consumer.kafka.permission import require_rights
from consumer.kafka.publisher import ANY_PARTITION, Publisher, open_publisher
from consumer.kafka.rights import Role, rights_of
from consumer.kafka.topic_admin import KafkaTopicAdmin, require_topics
from consumer.kafka.topic_reader import Span, TopicReader, open_reader
from consumer.kafka.topics import TopicNames
from consumer.settings import Settings
from consumer.shown_record import shown, time_of
from schemas.bad_record import Reason
from schemas.click import ClickLayout, click_layout
from schemas.codec import Codec
from schemas.record_schema import load_schemas

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


@dataclass(frozen=True, slots=True)
class Letters:
    """The topic of dead letters, open for reading."""

    settings: Settings
    names: TopicNames
    reader: TopicReader
    partitions: int
    """Of the clicks; the dead letters have as many."""
    codec: Codec
    """Of the clicks."""

    def all(self, reason: Reason | None) -> Iterator[DeadLetter]:
        """Yield all that are there now."""
        return self._read(self.reader.spans({self.names.dead_letters: self.partitions}), reason)

    def at(self, places: Iterable[str], reason: Reason | None) -> list[DeadLetter]:
        """Return those in these places; raises UsageError where there is none in one of them."""
        wanted = {text: _parsed(text) for text in places}
        spans = {span.partition: span for span in self.reader.spans({self.names.dead_letters: self.partitions})}
        found = [letter for partition, offset in wanted.values() for letter in self._one(spans, partition, offset)]
        missing = sorted(wanted.keys() - {letter.record.place for letter in found})
        if missing:
            raise UsageError(
                f"There is no dead letter at {', '.join(missing)}; link-actions dlq list shows those there are"
            )
        return [letter for letter in found if reason in (None, letter.reason)]

    def layouts(self) -> Mapping[bytes, ClickLayout]:
        """Return how to cut an identity out of a click; schemas that are none of a click are left out."""
        layouts = {}
        for frame, writer in self.codec.writers.items():
            with suppress(ValueError):
                layouts[frame] = click_layout(writer)
        return layouts

    def _one(self, spans: Mapping[int, Span], partition: int, offset: int) -> list[DeadLetter]:
        span = spans.get(partition)
        if span is None or span.end is None or not span.start <= offset < span.end:
            return []
        return list(self._read([Span(span.topic, partition, offset, offset + 1)], None))

    def _read(self, spans: Iterable[Span], reason: Reason | None) -> Iterator[DeadLetter]:
        letters = (dead_letter(shown(message)) for message in self.reader.read(spans))
        return (letter for letter in letters if reason in (None, letter.reason))


@app.callback(epilog=GROUP_EXAMPLE)
def dlq() -> None:
    """Look at dead letters and replay them."""


@app.command("list", cls=PlainCommand, epilog=LIST_EXAMPLE)
def list_letters(*, reason: ReasonOption = None, as_json: JsonOption = False) -> None:
    """List dead letters: where they stand, why they are there, and which record they were."""
    with open_letters() as letters:
        if as_json:
            for letter in letters.all(reason):
                say_json(letter.facts_in_json())
            return
        found = list(letters.all(reason))
    if found:
        print_table(("place", "when (UTC)", "reason", "click", "detail"), map(_row, found))
    reasons = Counter(letter.reason for letter in found)
    counts = ", ".join(f"{number} {name}" for name, number in reasons.most_common())
    say(f"{len(found)} dead letters" + (f": {counts}" if counts else ""))


@app.command(cls=PlainCommand, epilog=SHOW_EXAMPLE)
def show(
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="As dlq list shows it.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter with all its bytes, and what can be read of them. It may tell who clicked."""
    with open_letters() as letters:
        (letter,) = letters.at([place], None)
        lines = [letter_in_json(letter, letters.codec)] if as_json else letter_in_text(letter, letters.codec)
    for line in lines:
        say(line)


@app.command(cls=PlainCommand, epilog=REPLAY_EXAMPLE)
def replay(
    places: Annotated[list[str] | None, typer.Argument(metavar="PARTITION:OFFSET", help="Default: all.")] = None,
    *,
    reason: ReasonOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be replayed.")] = False,
) -> None:
    """Publish dead letters as the clicks they were, once what made them bad is mended.

    Replaying one twice does no harm while it is remembered: a click that was applied is a duplicate then. One that is
    over 24 hours older than the newest clicks is not remembered by `always` actions, one that is over a week older than
    the retention by none; replay those once only. The dead letter stays where it is.
    """
    with open_letters() as letters:
        chosen = letters.at(places, reason) if places else letters.all(reason)
        if dry_run:
            _say_what_would_be(chosen, letters.names.clicks)
        else:
            _publish(chosen, letters, open_publisher(letters.settings))


@contextmanager
def open_letters() -> Iterator[Letters]:
    """Open the dead letters of this installation; raises Unavailable where the topic is missing."""
    settings = command_settings()
    names = topic_names(settings)
    require_rights(settings, rights_of(Role.OPERATOR, settings, names))
    states = require_topics(KafkaTopicAdmin(settings), [names.clicks, names.dead_letters])
    with closing(open_reader(settings)) as reader, open_registry(settings) as registry:
        codec = reading_codec(names.clicks, load_schemas()["LinkClicked"], registry)
        yield Letters(settings, names, reader, states[names.clicks].partitions, codec)


def _publish(chosen: Iterable[DeadLetter], letters: Letters, publisher: Publisher) -> None:
    layouts = letters.layouts()
    for letter in chosen:
        click = replay_of(letter, layouts, letters.partitions)
        publisher.publish(
            letters.names.clicks,
            click.value,
            click.key,
            headers=click.headers,
            partition=ANY_PARTITION if click.partition is None else click.partition,
        )
    publisher.finish()
    say(f"replayed {publisher.confirmed} dead letters to {letters.names.clicks}")
    if publisher.failed:
        reasons = "; ".join(f"{number} times {reason}" for reason, number in publisher.failed.items())
        raise Unavailable(f"{publisher.failed.total()} were not written ({reasons}); mend it and replay them again")


def _say_what_would_be(chosen: Iterable[DeadLetter], topic: str) -> None:
    reasons: Counter[str] = Counter()
    for letter in chosen:
        reasons[letter.reason] += 1
        say(f"{letter.record.place} {letter.reason}")
    say(f"would replay {reasons.total()} dead letters to {topic}")


def _row(letter: DeadLetter) -> tuple[object, ...]:
    click = f"{letter.facts.get('partition', '')}:{letter.facts.get('offset', '')}"
    return letter.record.place, time_of(letter.record.timestamp), letter.reason, click, letter.facts.get("detail")


def _parsed(text: str) -> tuple[int, int]:
    try:
        return place_of(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
