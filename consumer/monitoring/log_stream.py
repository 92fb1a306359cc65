"""Standard error as a log is written to it: a line that it does not take is lost, and nothing else."""

import os
import select
import sys
from io import TextIOBase
from threading import Lock

PATIENCE_SECONDS = 0.2
"""How long a line waits for a reader that is slow; after one that waited in vain none does, until one is taken."""

_WRITING = Lock()
"""Of this process, which has one standard error: long lines are written in pieces."""


class LogStream(TextIOBase):
    """Standard error as it is when a line is written, not as it was when logs were configured.

    It may be a pipe whose reader has gone or stands still, a file on a full disk, or closed: the caller goes on.
    """

    def __init__(self) -> None:
        self.lost_lines = 0
        """How many were lost since the last one that was written."""
        self._is_line_cut = False

    def write(self, text: str) -> int:
        """Write the line if it can be written."""
        with _WRITING:
            self.lost_lines = 0 if self._write(text) else self.lost_lines + 1
        return len(text)

    def flush(self) -> None:
        """Do nothing: each line goes to the system at once."""

    def isatty(self) -> bool:
        """Tell whether someone watches."""
        try:
            return sys.stderr.isatty()
        except (AttributeError, ValueError):  # it was closed before Python started, or since
            return False

    def _write(self, text: str) -> bool:
        descriptor = _descriptor()
        if descriptor is None:
            return _write_to_object(text)
        encoding = sys.stderr.encoding or "utf-8"
        rest = memoryview(("\n" * self._is_line_cut + text).encode(encoding, "backslashreplace"))
        patience_seconds = 0.0 if self.lost_lines else PATIENCE_SECONDS
        taken = 0
        try:
            while taken < len(rest) and _is_writable(descriptor, patience_seconds):
                taken += os.write(descriptor, rest[taken : taken + select.PIPE_BUF])
        except OSError:
            pass
        self._is_line_cut = 0 < taken < len(rest) or (self._is_line_cut and not taken)
        return taken == len(rest)


def _descriptor() -> int | None:
    """Return its number; None where it is closed, or an object that only Python knows."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _is_writable(descriptor: int, seconds: float) -> bool:
    """Tell whether `PIPE_BUF` bytes can be written without a wait, now or within the time."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))


def _write_to_object(text: str) -> bool:
    try:
        sys.stderr.write(text)
    except (AttributeError, OSError, ValueError):
        return False
    return True
