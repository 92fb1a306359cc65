"""A file of the operator that is read again when it changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

Content = TypeVar("Content")


class BadFile(Exception):
    """The file cannot be used; the message says what is wrong with it and never holds a secret."""


class WatchedFile(Generic[Content]):
    """The content of a file in a running process. A file that has become unusable leaves the content as it was."""

    def __init__(self, path: Path, load: Callable[[Path], Content], before: Content | None = None) -> None:
        """Read the file, or leave it to the first `refresh` and have the content `before` until then.

        `load` raises BadFile, and so does this.
        """
        self._path = path
        self._load = load
        self._seen: object = None if before is None else ()
        if before is None:
            self._seen = _identity(path)
            before = load(path)
        self.current = before

    def refresh(self) -> str | None:
        """Read the file if it has changed; return what is wrong with it, None if it is sound or as before."""
        seen = _identity(self._path)
        if seen == self._seen:
            return None
        self._seen = seen
        try:
            self.current = self._load(self._path)
        except BadFile as error:
            return str(error)
        return None


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode
