"""The folder of one process in the spool: locked while that process lives, taken over by another one after it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LOCK = "lock"
DAMAGED = ".damaged"
_PREFIX = "edge-"


class LockedFolder:
    """A folder that no other process writes to or publishes from, as long as this object is open."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def set_aside(self, file: Path) -> Path:
        """Rename a file that cannot be read to its end, so that a person can look at it, and return its new path."""
        aside = file.with_name(file.name + DAMAGED)
        file.rename(aside)
        return aside

    def remove_if_done(self) -> None:
        """Remove the folder unless something is left in it that a person must look at."""
        left = [path for path in self.path.iterdir() if path.name.endswith(DAMAGED)]
        if not left:
            for path in self.path.iterdir():
                path.unlink()
            self.path.rmdir()
        self.close()

    def close(self) -> None:
        """Release the lock."""
        os.close(self._lock)


def make_folder(spool: Path) -> LockedFolder:
    """Make a folder of this process's own: what an earlier life left is never appended to. Raises OSError."""
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = spool / f"{_PREFIX}{time.time_ns()}-{os.getpid()}"
    path.mkdir(mode=0o700)
    locked = _try_lock(path)
    if locked is None:
        raise OSError(f"{path} is locked by another process, which takes over folders")
    return locked


def abandoned_folders(spool: Path) -> Iterator[LockedFolder]:
    """Yield, locked, each folder whose process has ended, the oldest first."""
    for path in folder_paths(spool):
        with suppress(FileNotFoundError):  # another process has just finished with it
            locked = _try_lock(path)
            if locked is not None:
                yield locked


def folder_paths(spool: Path) -> list[Path]:
    """Return the folders of all processes, dead ones too, the oldest first."""
    return sorted(spool.glob(f"{_PREFIX}*"))


def is_in_use(folder: Path) -> bool:
    """Return whether a process has locked the folder."""
    locked = _try_lock(folder)
    if locked is not None:
        locked.close()
    return locked is None


def _try_lock(path: Path) -> LockedFolder | None:
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    if not path.exists():  # it was removed between opening and locking
        os.close(lock)
        return None
    return LockedFolder(path, lock)
