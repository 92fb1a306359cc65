"""Standard output and standard error that take every text and fail in sentences."""

import os
import sys
from io import TextIOWrapper
from typing import TextIO, TypeVar

from consumer.errors import LinkActionsError

UNENCODABLE = "backslashreplace"
"""What becomes of a character that the stream's encoding does not have, as in ISO-8859-1 or ASCII."""

Stream = TypeVar("Stream", bound=TextIOWrapper)

READER_GONE = 141
"""What a shell sees of a program that SIGPIPE ended."""


class Unwritable(LinkActionsError):
    """Standard output cannot be written, for example since the disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"Standard output cannot be written ({error.strerror}); make room, or redirect it elsewhere")


class ReaderGone(LinkActionsError):
    """Whoever read the output has closed it, as `head` does. Nothing is wrong, and nobody is left to tell."""

    exit_code = READER_GONE


class StandardOutput(TextIOWrapper):
    """Raises Unwritable or ReaderGone where the system does not take what is written."""

    def write(self, text: str) -> int:
        """Write it."""
        try:
            return super().write(text)
        except OSError as error:
            discard(self)
            raise _sentence(error) from error

    def flush(self) -> None:
        """Write what is still held."""
        try:
            super().flush()
        except OSError as error:
            discard(self)
            raise _sentence(error) from error


class StandardError(TextIOWrapper):
    """Loses what cannot be written: there is no other place to say so, and the work is not wrong for it."""

    def write(self, text: str) -> int:
        """Write it, if it can be written."""
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Write what is still held, if it can be written."""
        try:
            super().flush()
        except OSError:
            return


def prepare_streams() -> None:
    """Put streams in place that take every text. One that was closed becomes /dev/null.

    Else the next file or connection that is opened would get its number, and with it what libraries write there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process runs
    sys.stdout = _wrapped(StandardOutput, sys.stdout, 1)
    sys.stderr = _wrapped(StandardError, sys.stderr, 2)


def discard(stream: TextIO) -> None:
    """Send to /dev/null what the stream still holds and gets: at its end Python would try once more, and complain."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def width_of(stream: TextIO) -> int | None:
    """Return how many cells a line of the terminal has, COLUMNS before what it says itself; None where none watches."""
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) else os.get_terminal_size(stream.fileno()).columns or 80


def takes_colors(stream: TextIO) -> bool:
    """Tell whether someone watches and did not ask for plain text: no-color.org, and terminals that know no colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _wrapped(kind: type[Stream], stream: TextIO | None, number: int) -> Stream:
    """Return a stream of this kind in place of Python's own, which holds nothing any more then."""
    if isinstance(stream, TextIOWrapper):
        encoding, is_line_buffered = stream.encoding, stream.line_buffering
        return kind(stream.detach(), encoding=encoding, errors=UNENCODABLE, line_buffering=is_line_buffered)
    return kind(open(number, "wb", closefd=False), encoding="utf-8", errors=UNENCODABLE)


def _sentence(error: OSError) -> LinkActionsError:
    return ReaderGone() if isinstance(error, BrokenPipeError) else Unwritable(error)
