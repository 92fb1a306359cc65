"""Measures the available memory, so that a store stops with a message before the OOM killer ends the process.

Linux only: proc_meminfo(5) for the machine, control groups (version 1 or 2) for a container. Reclaimable page cache
counts as available. Other systems never refuse.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import Unavailable

KEPT_FREE_SHARE = 0.05
"""Share of the total reserved for everything but the state: batches, the client library, other processes."""
_RECLAIMABLE = ("active_file", "inactive_file")
_V1_UNLIMITED = 1 << 60


@dataclass(frozen=True, slots=True)
class Room:
    """Total and available memory of a machine or container, in bytes."""

    total: int
    free: int


class MemoryHeadroom:
    """Memory of the machine and of every control group that this process is in."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._meminfo = root / "proc/meminfo"
        self._groups = list(_control_groups(root))

    def require(self, wanted: int) -> None:
        """Raise Unavailable if allocating this many more bytes would leave too little."""
        for room in self._rooms():
            if room.free - wanted < room.total * KEPT_FREE_SHARE:
                raise Unavailable(
                    f"The state needs {_megabytes(wanted)} more memory for its index, and {_megabytes(room.free)} of"
                    f" {_megabytes(room.total)} are left; set LINK_ACTIONS_STATE_STORE=rocksdb, which takes 50 to 90 MB"
                    " for any number of entries, give the worker more memory, or run workers on more machines"
                )

    def _rooms(self) -> Iterator[Room]:
        if (machine := self._machine()) is not None:
            yield machine
        for group in self._groups:
            if (room := group.room()) is not None:
                yield room

    def _machine(self) -> Room | None:
        """Return the memory of the machine; None if it cannot be read: not Linux, or no file descriptor is left."""
        try:
            told = _numbers(self._meminfo.read_text().replace(":", " "))
        except OSError:
            return None
        return Room(told["MemTotal"] * 1024, told["MemAvailable"] * 1024)


@dataclass(frozen=True, slots=True)
class _ControlGroup:
    """One control group, with the file names of its version."""

    folder: Path
    limit: str
    used: str
    prefix: str = ""

    def room(self) -> Room | None:
        """Return the memory of the group; None if it has no limit, or is not visible from here."""
        try:
            limit = (self.folder / self.limit).read_text().strip()
            if limit == "max" or int(limit) >= _V1_UNLIMITED:
                return None
            used = int((self.folder / self.used).read_text())
            told = _numbers((self.folder / "memory.stat").read_text())
        except (OSError, ValueError):
            return None
        return Room(int(limit), int(limit) - used + sum(told.get(self.prefix + name, 0) for name in _RECLAIMABLE))


def _control_groups(root: Path) -> Iterator[_ControlGroup]:
    """Yield the groups of this process and their parents; inside a container its own group looks like the root."""
    mine = root / "proc/self/cgroup"
    for line in mine.read_text().splitlines() if mine.is_file() else ():
        _, controllers, path = line.split(":", 2)
        inner = Path(path.lstrip("/"))
        for each in (inner, *inner.parents):
            if not controllers:
                yield _ControlGroup(root / "sys/fs/cgroup" / each, "memory.max", "memory.current")
            elif "memory" in controllers.split(","):
                folder = root / "sys/fs/cgroup/memory" / each
                yield _ControlGroup(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_")


def _numbers(table: str) -> dict[str, int]:
    return {fields[0]: int(fields[1]) for fields in map(str.split, table.splitlines()) if len(fields) > 1}


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
