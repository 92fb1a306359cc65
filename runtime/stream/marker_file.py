"""A few bytes that survive the process, however it ends; not the machine, because nothing is synced."""

import os
from pathlib import Path
from typing import Protocol

from runtime.errors import Unavailable
from runtime.state.disk import failure_at_start, refused


class MarkerFile(Protocol):
    """Bytes that are written as a whole."""

    def read(self) -> bytes:
        """Return the last text, followed by what is left of a longer earlier one; empty at first."""

    def write(self, text: bytes) -> None:
        """Overwrite the beginning. Raises RetriableError if the disk refuses."""


class FakeMarkerFile:
    """In-memory fake: survives a worker on a thread, not the process."""

    def __init__(self) -> None:
        self._text = b""

    def read(self) -> bytes:
        """Return the last text."""
        return self._text

    def write(self, text: bytes) -> None:
        """Overwrite the beginning."""
        self._text = text + self._text[len(text) :]


class LocalMarkerFile:
    """A file. A write is one system call into the page cache, 2 µs, which no signal cuts in two."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises UsageError, or Unavailable if the disk is full."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise failure_at_start(path.parent, error) from error
        self._name = path.name

    def read(self) -> bytes:
        """Return the whole file. Raises Unavailable."""
        try:
            return os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)
        except OSError as error:
            raise Unavailable(f"The file {self._name} in the state folder cannot be read ({error.strerror})") from error

    def write(self, text: bytes) -> None:
        """Overwrite the beginning."""
        try:
            os.pwrite(self._descriptor, text, 0)
        except OSError as error:
            raise refused(f"the file {self._name} in the state folder cannot be written", error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
