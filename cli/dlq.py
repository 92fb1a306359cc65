"""`link-actions dlq`: list, show and replay dead letters."""

import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.command_line import PlainCommand, PlainGroup
from cli.entry import command_settings, open_registry, topic_names
from cli.output import complain, say, say_json
from cli.table import print_table
from consumer.inspect.dead_letter_text import dead_letter_json, dead_letter_text
from consumer.inspect.dead_letters import parse_place, replay_of
from consumer.inspect.record_view import time_of
from consumer.maintenance.dead_letter_topic import (
    DeadLetterTopic,
    no_dead_letter_at,
    open_dead_letters,
    parse_named_place,
)
from consumer.maintenance.replay import DeadLetterIndex, DeadLetterSummary, Selection, select
from runtime.errors import Unavailable, UsageError
from runtime.kafka.publisher import ANY_PARTITION, open_publisher
from runtime.terminal.text import counted
from schemas.bad_record import Reason
from schemas.dead_letter_headers import REPLAYED

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

GROUP_EXAMPLE = """\b
Example:
  link-actions dlq list
  link-actions dlq replay --reason unknown_version --dry-run"""

ReasonOption = Annotated[Reason | None, typer.Option(help="Only dead letters with this reason.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON for programs, one object per line.")]

LIST_EXAMPLE = """\b
Example:
  link-actions dlq list --reason unknown_schema"""
SHOW_EXAMPLE = """\b
Example:
  link-actions dlq show 3:1042"""
REPLAY_EXAMPLE = """\b
Example:
  link-actions dlq replay --reason unknown_version --dry-run"""


MAX_NAMED = 5
"""Places named in a question or an error."""


@app.callback(epilog=GROUP_EXAMPLE)
def dlq() -> None:
    """List, show and replay dead letters."""


@app.command("list", cls=PlainCommand, epilog=LIST_EXAMPLE)
def list_dead_letters(*, reason: ReasonOption = None, as_json: JsonOption = False) -> None:
    """List dead letters with place, time, reason, original record and replays."""
    with _dead_letters() as letters:
        found = letters.index()
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
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="As shown by dlq list.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter with its bytes and decoded fields. The output may contain personal data."""
    with _dead_letters() as letters:
        letter = letters.at(place)
        lines = [dead_letter_json(letter, letters.codec)] if as_json else dead_letter_text(letter, letters.codec)
    for line in lines:
        say(line)


@app.command(cls=PlainCommand, epilog=REPLAY_EXAMPLE)
def replay(
    places: Annotated[list[str] | None, typer.Argument(metavar="PARTITION:OFFSET", help="Default: all.")] = None,
    *,
    reason: ReasonOption = None,
    again: Annotated[bool, typer.Option("--again", help="Include dead letters that were replayed before.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be replayed, but publish nothing.")
    ] = False,
) -> None:
    """Publish dead letters as clicks again, after their cause is fixed.

    If a click fails again, a new dead letter is written; of all dead letters of one click, only the newest is replayed.
    To replay a dead letter again, add --again or confirm on a terminal.

    Replaying twice is safe while the click is remembered: an applied click is then a duplicate. `always` actions
    remember clicks up to 24 hours older than the newest ones; other actions, up to a week more than the retention.

    The dead letter stays in its topic; a record of the replay is appended after it.
    """
    named = None if not places else ["{}:{}".format(*parse_named_place(place)) for place in dict.fromkeys(places)]
    with _dead_letters() as letters:
        found = letters.index()
        missing = [place for place in named or () if place not in found.letters]
        if missing:
            raise no_dead_letter_at(missing)
        selection = select(found, named, reason)
        if dry_run:
            _say_what_would_be(selection, letters.names.clicks, again=again)
            return
        chosen = [*selection.first, *_permitted(selection.again, is_named=named is not None, again=again)]
        _publish({letter.place for letter in chosen}, letters)
    if selection.superseded:
        complain(f"{counted(len(selection.superseded), 'dead letter')} skipped: a newer one exists for the same click")


@contextmanager
def _dead_letters() -> Iterator[DeadLetterTopic]:
    settings = command_settings()
    with (
        open_registry(settings) as registry,
        open_dead_letters(settings, topic_names(settings), registry) as dead_letters,
    ):
        yield dead_letters


def _permitted(letters: Sequence[DeadLetterSummary], *, is_named: bool, again: bool) -> Sequence[DeadLetterSummary]:
    """Return which of these letters, all replayed before, to replay again."""
    if again or not letters:
        return letters
    these = ", ".join(letter.place for letter in letters[:MAX_NAMED]) + (" and others" * (len(letters) > MAX_NAMED))
    sentence = f"{counted(len(letters), 'dead letter')} replayed before ({these})"
    if sys.stdin.isatty() and sys.stderr.isatty():
        return letters if typer.confirm(f"{sentence}. Replay again?", err=True) else []
    if is_named:
        raise UsageError(f"{sentence}; add --again to replay the named dead letters again")
    complain(f"{sentence} skipped; add --again to replay all of them again")
    return []


def _publish(places: Collection[str], letters: DeadLetterTopic) -> None:
    """Record the replays, then publish: after a crash, a click may be recorded but not published, never the reverse."""
    notes = open_publisher(letters.settings.kafka)
    for place in places:
        headers = [(REPLAYED, place.encode())]
        notes.publish(letters.names.dead_letters, None, None, headers=headers, partition=parse_place(place)[0])
    notes.finish()
    if notes.failed:
        reasons = ", ".join(notes.failed)
        raise Unavailable(
            f"The replays could not be recorded in {letters.names.dead_letters} ({reasons}), "
            "so nothing was replayed; fix that, then run the command again"
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


def _row(letter: DeadLetterSummary, found: DeadLetterIndex) -> tuple[object, ...]:
    click = f"{letter.facts.get('partition', '')}:{letter.facts.get('offset', '')}"
    remarks = [
        *([f"copy of {letter.copy_of}"] if letter.copy_of else []),
        *(["replayed"] if letter.place in found.replayed_at else []),
    ]
    suffix = f" ({', '.join(remarks)})" if remarks else ""
    return letter.place, time_of(letter.timestamp), letter.reason, click, letter.facts.get("detail", "") + suffix
