"""`link-actions clicks`: publishes clicks from a file."""

import sys
import uuid
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from cli.command_line import PlainCommand, PlainGroup
from cli.entry import command_settings, open_registry, topic_names
from cli.input import STANDARD_INPUT, open_input, read_lines
from cli.output import complain, say
from consumer.inspect.click_ndjson import ClickLines
from consumer.inspect.ndjson import InvalidLine
from runtime.errors import Unavailable, UsageError
from runtime.kafka.admin.acls import Role, acls_of
from runtime.kafka.admin.permission import require_acls
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, require_topics
from runtime.kafka.publisher import Publisher, open_publisher
from runtime.registry.codecs import writing_frame
from runtime.terminal.text import counted, printable
from schemas.codec import Codec
from schemas.record_schema import load_schemas

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

GROUP_EXAMPLE = """\b
Example:
  link-actions clicks publish clicks.ndjson"""

EXAMPLE = """\b
Example:
  link-actions clicks publish clicks.ndjson
\b
A line of the file:
  {"tenant_id": "acme", "link_id": "spring-offer", "recipient_id": "r-17", "clicked_at": "2026-11-22T09:30:00Z",
   "person_id": "4711", "mailing_id": "spring"}"""


@app.callback(epilog=GROUP_EXAMPLE)
def clicks() -> None:
    """Publish clicks from a file."""


@app.command(cls=PlainCommand, epilog=EXAMPLE)
def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One JSON object per line; - is standard input.")],
) -> None:
    """Publish clicks, for trials and migrations.

    Times are milliseconds since 1970 or ISO 8601. An empty text counts as a missing field; a missing click_id is
    generated. Invalid lines are reported with their numbers and skipped, and the exit code is then 2.
    """
    settings = command_settings()
    names = topic_names(settings)
    topic = names.clicks
    with ExitStack() as stack:
        stream = stack.enter_context(open_input(file, "clicks"))
        require_acls(settings.kafka, acls_of(Role.EDGE, settings.kafka, names))
        require_topics(KafkaTopicAdmin(settings.kafka), [topic])
        schema = load_schemas()["LinkClicked"]
        frame = writing_frame(topic, schema, stack.enter_context(open_registry(settings)))
        lines = ClickLines(Codec(schema, frame), mint=lambda: str(uuid.uuid4()))
        publishing = Publishing(lines, open_publisher(settings.kafka), topic)
        publishing.publish_all(stream, str(file), _progress(stack, file))
    publishing.conclude()


class Publishing:
    """Publishes the clicks of one file."""

    def __init__(self, lines: ClickLines, publisher: Publisher, topic: str) -> None:
        self._lines = lines
        self._publisher = publisher
        self._topic = topic
        self._counts: Counter[str] = Counter()
        self._unread = ""

    def publish_all(self, stream: BinaryIO, name: str, progress: "_Progress") -> None:
        """Publish each valid line and report what is wrong with the others."""
        try:
            for number, line in enumerate(read_lines(stream), start=1):
                progress.advance(len(line))
                if line.strip():
                    self._publish(line, f"{name}:{number}", progress)
        except OSError as error:
            self._unread = f"{name} cannot be read to its end ({error.strerror})"
        self._publisher.finish()

    def _publish(self, line: bytes, place: str, progress: "_Progress") -> None:
        try:
            click = self._lines.read(line)
        except InvalidLine as problem:
            self._counts["bad"] += 1
            progress.complain(f"{place}: {problem}")
        else:
            self._counts["minted"] += click.minted
            self._publisher.publish(self._topic, click.value, click.key)

    def conclude(self) -> None:
        """Print the result. Raises Unavailable if records were not written, UsageError if lines were invalid."""
        minted = f", {self._counts['minted']} with a generated click_id" if self._counts["minted"] else ""
        say(f"published {counted(self._publisher.confirmed, 'click')} to {self._topic}{minted}")
        failed = self._publisher.failed
        if failed:
            reasons = "; ".join(f"{counted(number, 'time')} {reason}" for reason, number in failed.items())
            written = f"{counted(failed.total(), 'click')} could not be written"
            raise Unavailable(f"{written} ({reasons}); fix that, then publish the missing clicks")
        if self._unread:
            raise UsageError(f"{self._unread}; fix that, then publish the rest")
        bad = self._counts["bad"]
        if bad:
            these = "1 line is not a click and was" if bad == 1 else f"{bad} lines are not clicks and were"
            raise UsageError(f"{these} skipped; fix and publish only the skipped lines")


class _Progress:
    """Shows on a terminal how much of a file has been read; messages are printed above it."""

    def __init__(self, bar: Progress | None, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("publishing", total=total) if bar else None

    def advance(self, read_bytes: int) -> None:
        """Advance by the bytes of a line."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, read_bytes)

    def complain(self, message: str) -> None:
        """Write a message to standard error."""
        if self._bar is None:
            complain(message)
        else:
            self._bar.console.print(Text(printable(message)), soft_wrap=True)


def _progress(stack: ExitStack, file: Path) -> _Progress:
    console = Console(stderr=True)
    if file == STANDARD_INPUT or not sys.stderr.isatty() or console.is_dumb_terminal:
        return _Progress(None, 0)
    bar = stack.enter_context(Progress(console=console, transient=True))
    return _Progress(bar, file.stat().st_size)
