"""A few bytes that outlive the process, however it ends: not the machine, for nothing is synced."""

import os
from pathlib import Path
from typing import Protocol

from consumer.errors import Unavailable
from consumer.state.disk import failure_at_start, refused


class MarkerFile(Protocol):
    """Bytes that are written as a whole."""

    def read(self) -> bytes:
        """Return what was written last, and what longer text left behind it; nothing at first."""

    def write(self, text: bytes) -> None:
        """Replace the beginning. Raises RetriableError where the disk does not take it."""


class FakeMarkerFile:
    """The twin: outlives a worker on a thread, not the process."""

    def __init__(self) -> None:
        self._text = b""

    def read(self) -> bytes:
        """Return what was written last."""
        return self._text

    def write(self, text: bytes) -> None:
        """Replace the beginning."""
        self._text = text + self._text[len(text) :]


class LocalMarkerFile:
    """A file. A write is one call of the system into the page cache, 2 µs, which no signal cuts in two."""

    def __init__(self, path: Path) -> None:
        """Open the file, made where it is missing. Raises UsageError, or Unavailable where the disk is full."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise failure_at_start(path.parent, error) from error

    def read(self) -> bytes:
        """Return all that is in the file. Raises Unavailable."""
        try:
            return os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)
        except OSError as error:
            raise Unavailable(f"what the worker was at work on cannot be read ({error.strerror})") from error

    def write(self, text: bytes) -> None:
        """Replace the beginning."""
        try:
            os.pwrite(self._descriptor, text, 0)
        except OSError as error:
            raise refused("what the worker is at work on cannot be noted", error) from error

    def close(self) -> None:
        """Let go of the file; what is in it stays."""
        os.close(self._descriptor)
