"""Standard streams that accept every text; if writing fails, the error is one sentence."""

import os
import sys
from io import TextIOWrapper
from typing import TextIO, TypeVar

from runtime.errors import LinkActionsError

UNENCODABLE = "backslashreplace"
"""The error handler for characters that the stream's encoding (ISO-8859-1, ASCII) does not have."""

Stream = TypeVar("Stream", bound=TextIOWrapper)

READER_GONE = 141
"""The exit code that a shell reports for a program ended by SIGPIPE."""


class Unwritable(LinkActionsError):
    """Standard output cannot be written, for example because the disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"Standard output cannot be written ({error.strerror}); free some space, or redirect it elsewhere"
        )


class ReaderGone(LinkActionsError):
    """The reader of the output has closed it, as `head` does. This is not a failure, and no message is written."""

    exit_code = READER_GONE


class StandardOutput(TextIOWrapper):
    """Raises Unwritable or ReaderGone if the system rejects a write."""

    def write(self, text: str) -> int:
        """Write the text."""
        try:
            return super().write(text)
        except OSError as error:
            discard(self)
            raise _sentence(error) from error

    def flush(self) -> None:
        """Write the buffered text."""
        try:
            super().flush()
        except OSError as error:
            discard(self)
            raise _sentence(error) from error


class StandardError(TextIOWrapper):
    """Drops text that cannot be written: there is no other place to report it, and the work itself is fine."""

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Write the buffered text, or drop it."""
        try:
            super().flush()
        except OSError:
            return


def prepare_streams() -> None:
    """Replace the standard streams by ones that accept every text. A closed one becomes /dev/null.

    Otherwise the next file or connection would get its descriptor, and with it the output of libraries.
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
    """Redirect the stream to /dev/null; otherwise Python flushes it again at exit, and complains."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def width_of(stream: TextIO) -> int | None:
    """Return the width of the terminal in cells, COLUMNS first; None if the stream is not a terminal."""
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) else os.get_terminal_size(stream.fileno()).columns or 80


def takes_colors(stream: TextIO) -> bool:
    """Return whether the stream is a terminal with colours, which NO_COLOR (no-color.org) does not switch off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _wrapped(kind: type[Stream], stream: TextIO | None, number: int) -> Stream:
    """Detach Python's stream and return one of this kind for the same descriptor."""
    if isinstance(stream, TextIOWrapper):
        encoding, is_line_buffered = stream.encoding, stream.line_buffering
        return kind(stream.detach(), encoding=encoding, errors=UNENCODABLE, line_buffering=is_line_buffered)
    return kind(open(number, "wb", closefd=False), encoding="utf-8", errors=UNENCODABLE)


def _sentence(error: OSError) -> LinkActionsError:
    return ReaderGone() if isinstance(error, BrokenPipeError) else Unwritable(error)
