"""Standard error as the stream of a log: a line that cannot be written is lost and does not stop the caller."""

import os
import select
import sys
from io import TextIOBase
from threading import Lock

WRITE_TIMEOUT_SECONDS = 0.2
"""A line waits this long for a slow reader. After one timed out, none waits until one is written again."""

_WRITING = Lock()
"""One lock per process, as there is one standard error: long lines are written in pieces."""


class LogStream(TextIOBase):
    """Looks up `sys.stderr` for each line, not once when logs are configured.

    Standard error may be a pipe whose reader is gone or stuck, a file on a full disk, or closed: the line is dropped.
    """

    def __init__(self) -> None:
        self.lost_lines = 0
        """Lines lost since the last one that was written."""
        self._is_line_cut = False

    def write(self, text: str) -> int:
        """Write the line, or count it as lost."""
        with _WRITING:
            self.lost_lines = 0 if self._write(text) else self.lost_lines + 1
        return len(text)

    def flush(self) -> None:
        """Do nothing: lines are not buffered."""

    def isatty(self) -> bool:
        """Return whether standard error is a terminal."""
        try:
            return sys.stderr.isatty()
        except (AttributeError, ValueError):  # closed before Python started, or since
            return False

    def _write(self, text: str) -> bool:
        descriptor = _descriptor()
        if descriptor is None:
            return _write_to_object(text)
        encoding = sys.stderr.encoding or "utf-8"
        rest = memoryview(("\n" * self._is_line_cut + text).encode(encoding, "backslashreplace"))
        timeout_seconds = 0.0 if self.lost_lines else WRITE_TIMEOUT_SECONDS
        written = 0
        try:
            while written < len(rest) and _is_writable(descriptor, timeout_seconds):
                written += os.write(descriptor, rest[written : written + select.PIPE_BUF])
        except OSError:
            pass
        self._is_line_cut = 0 < written < len(rest) or (self._is_line_cut and not written)
        return written == len(rest)


def _descriptor() -> int | None:
    """Return the file descriptor; None if it is closed or `sys.stderr` has none."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _is_writable(descriptor: int, seconds: float) -> bool:
    """Return whether `PIPE_BUF` bytes can be written without blocking, now or within the time."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))


def _write_to_object(text: str) -> bool:
    try:
        sys.stderr.write(text)
    except (AttributeError, OSError, ValueError):
        return False
    return True
