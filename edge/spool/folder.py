"""The folder of one process in the spool: locked while that process lives, taken over by another one after it."""

import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from edge.spool.files import paths_in
from edge.spool.position import FILE as POSITION
from edge.spool.segment import NEW, segment_numbers, segment_path

LOCK = "lock"
DAMAGED = ".damaged"
"""Ending of a segment that cannot be read to its end."""
REFUSED = ".refused"
"""Ending of a file with one record, as segments have it, that the broker never takes."""
_PREFIX = "edge-"
_NEW_PREFIX = "new-"
_NAME = re.compile(rf"{_PREFIX}[0-9]+-[0-9]+")


class LockedFolder:
    """A folder that no other process writes to or publishes from, as long as this object is open."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def quarantine(self, file: Path) -> Path:
        """Rename a file that cannot be read to its end, so that a person can look at it, and return its new path."""
        aside = file.with_name(file.name + DAMAGED)
        file.rename(aside)
        return aside

    def keep_refused(self, name: str, encoded: bytes) -> Path:
        """Write a record that the broker never takes to a file, and return its path. Raises OSError."""
        path = self.path / f"{name}{REFUSED}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            if os.write(file, encoded) != len(encoded):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        finally:
            os.close(file)
        return path

    def remove_if_done(self) -> None:
        """Delete the files that are done with, and the folder, unless a person must look at something in it."""
        if not any(path.name.endswith((DAMAGED, REFUSED)) for path in self.path.iterdir()):
            self._remove()

    def _remove(self) -> None:
        for number in segment_numbers(self.path):
            segment_path(self.path, number).unlink(missing_ok=True)
        for path in paths_in(self.path):
            if path.name.endswith(NEW):
                path.unlink()
        for name in (POSITION, LOCK):
            (self.path / name).unlink(missing_ok=True)
        if not any(self.path.iterdir()):
            self.path.rmdir()

    def close(self) -> None:
        """Release the lock."""
        os.close(self._lock)


def make_folder(spool: Path) -> LockedFolder:
    """Make a folder of this process's own: what an ended process left is never appended to. Raises OSError."""
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{time.time_ns()}-{os.getpid()}"
    new, path = spool / f"{_NEW_PREFIX}{name}", spool / f"{_PREFIX}{name}"
    new.mkdir(mode=0o700)
    lock = _lock(new)
    new.rename(path)  # only now: another process takes over each folder of this name that is not locked
    return LockedFolder(path, lock)


def abandoned_folders(spool: Path) -> Iterator[LockedFolder]:
    """Yield, locked, each folder whose process has ended, the oldest first."""
    for path in folder_paths(spool):
        locked = None
        with suppress(FileNotFoundError):  # another process has just finished with it
            locked = _try_lock(path)
        if locked is not None:
            yield locked


def folder_paths(spool: Path) -> list[Path]:
    """Return the folders of all processes, dead ones too, the oldest first; anything else in the spool is left out."""
    return [path for path in paths_in(spool) if _NAME.fullmatch(path.name) and path.is_dir()]


def is_in_use(folder: Path) -> bool:
    """Return whether a process has locked the folder. Raises OSError."""
    try:
        os.close(_lock(folder, os.O_RDWR))  # never made here: another process may be removing the folder
    except (BlockingIOError, FileNotFoundError) as error:
        return isinstance(error, BlockingIOError)
    return False


def _try_lock(path: Path) -> LockedFolder | None:
    try:
        lock = _lock(path)
    except BlockingIOError:
        return None
    if not path.exists():  # it was removed between opening and locking
        os.close(lock)
        return None
    return LockedFolder(path, lock)


def _lock(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """Lock the folder. Raises BlockingIOError if another process has, and OSError."""
    lock = os.open(path / LOCK, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock
