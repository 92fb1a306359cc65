"""`link-actions clicks`: publishing them from a file."""

import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from consumer.cli.entry import command_settings, open_registry, topic_names
from consumer.click_lines import LINE_BYTES, BadLine, ClickLines
from consumer.codecs import writing_frame
from consumer.errors import Unavailable, UsageError
from consumer.kafka.permission import require_rights
from consumer.kafka.publisher import Publisher, open_publisher
from consumer.kafka.rights import Role, rights_of
from consumer.kafka.topic_admin import KafkaTopicAdmin, require_topics
from schemas.codec import Codec
from schemas.record_schema import load_schemas

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLE = """\b
Example:
  link-actions clicks publish clicks.ndjson
\b
A line of the file:
  {"tenant_id": "acme", "link_id": "spring-offer", "recipient_id": "r-17", "clicked_at": "2026-11-22T09:30:00Z",
   "person_id": "4711", "mailing_id": "spring"}"""

STANDARD_INPUT = Path("-")


@app.callback()
def clicks() -> None:
    """Publish clicks from a file."""


@app.command(epilog=EXAMPLE)
def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Clicks, one JSON object a line; - is standard input.")],
) -> None:
    """Publish clicks, for trying out and for migration.

    Times are milliseconds since 1970 or ISO 8601; a click_id is made where there is none. A bad line is reported with
    its number, the good ones go on, and the exit code is 2.
    """
    settings = command_settings()
    names = topic_names(settings)
    topic = names.clicks
    with ExitStack() as stack:
        stream = stack.enter_context(_open(file))
        require_rights(settings, rights_of(Role.EDGE, settings, names))
        require_topics(KafkaTopicAdmin(settings), [topic])
        schema = load_schemas()["LinkClicked"]
        frame = writing_frame(topic, schema, stack.enter_context(open_registry(settings)))
        lines = ClickLines(Codec(schema, frame), mint=lambda: str(uuid.uuid4()))
        publishing = Publishing(lines, open_publisher(settings), topic)
        publishing.publish_all(_with_progress(stack, file, stream), str(file))
    publishing.conclude()


class Publishing:
    """One file being published."""

    def __init__(self, lines: ClickLines, publisher: Publisher, topic: str) -> None:
        self._lines = lines
        self._publisher = publisher
        self._topic = topic
        self._counts: Counter[str] = Counter()

    def publish_all(self, lines: Iterator[bytes], name: str) -> None:
        """Publish each line that is a click, and say of each other one what is wrong with it."""
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                click = self._lines.read(line)
            except BadLine as problem:
                self._counts["bad"] += 1
                typer.echo(f"{name}:{number}: {problem}", err=True)
            else:
                self._counts["minted"] += click.minted
                self._publisher.publish(self._topic, click.value, click.key)
        self._publisher.finish()

    def conclude(self) -> None:
        """Say how it went; raises Unavailable where records were not written, UsageError where lines were bad."""
        minted = f", {self._counts['minted']} with a click_id made here" if self._counts["minted"] else ""
        typer.echo(f"published {self._publisher.confirmed} clicks to {self._topic}{minted}")
        failed = self._publisher.failed
        if failed:
            reasons = "; ".join(f"{number} times {reason}" for reason, number in failed.items())
            raise Unavailable(f"{failed.total()} clicks were not written ({reasons}); mend it and publish them again")
        bad = self._counts["bad"]
        if bad:
            raise UsageError(f"{bad} lines are no clicks and were left out; mend them and publish them alone")


def _open(file: Path) -> AbstractContextManager[BinaryIO]:
    if file == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        mend = "name a file of clicks, or - for standard input"
        raise UsageError(f"{file} cannot be read ({error.strerror}); {mend}") from error


def _with_progress(stack: ExitStack, file: Path, stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines, showing on a terminal how far they have been read."""
    console = Console(stderr=True)
    if file == STANDARD_INPUT or not console.is_terminal:
        yield from _lines(stream)
        return
    progress = stack.enter_context(Progress(console=console, transient=True))
    task = progress.add_task("publishing", total=file.stat().st_size)
    for line in _lines(stream):
        progress.advance(task, len(line))
        yield line


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines; of one that is too long its beginning, so that it costs no memory."""
    first = True
    while line := stream.readline(LINE_BYTES + 1):
        rest = line
        while len(rest) > LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_BYTES + 1)
        yield line.removeprefix(b"\xef\xbb\xbf") if first else line
        first = False
