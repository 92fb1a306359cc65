"""The disk of one instance: it outlives its processes, unless a fault has it lost or replaced by an older copy."""

from collections.abc import Callable, Mapping

from runtime.state.in_memory import MemoryPartitionStore, MemoryState
from runtime.stream.marker_file import FakeMarkerFile

KEPT_COPIES = 6


class SimulatedDisk(MemoryState):
    """`on_write` is called with each write and decides its fate; the process that uses the disk sets it."""

    def __init__(self) -> None:
        super().__init__()
        self.on_write: Callable[[Callable[[], None]], None] = lambda write: write()
        self.page = FakeMarkerFile()
        """The in-flight marker of the process; it survives a crash during a decision."""
        self.known = FakeMarkerFile()
        """The topics that the disk is a copy of."""
        self._copies: list[dict[int, DiskStore]] = []

    def reset(self, partition: int, changelog: str) -> MemoryPartitionStore:
        store = self._stores[partition] = DiskStore(changelog, self)
        return store

    def keep_copy(self) -> None:
        """Take a snapshot."""
        self._copies = [*self._copies[1 - KEPT_COPIES :], self._copied()]

    def older(self, which: float) -> "SimulatedDisk":
        """Return an earlier copy of this disk, from 0 for the oldest to 1; empty if there is none."""
        return self._with(self._copies[int(which * (len(self._copies) - 1))] if self._copies else {})

    def copy(self) -> "SimulatedDisk":
        """Return a disk with the same on it."""
        return self._with(self._copied())

    def _with(self, stores: "Mapping[int, DiskStore]") -> "SimulatedDisk":
        disk = SimulatedDisk()
        disk.known.write(self.known.read())
        disk._stores = {partition: store.copied_to(disk) for partition, store in stores.items()}
        return disk

    def _copied(self) -> "dict[int, DiskStore]":
        return {number: each.copied_to(self) for number, each in self._stores.items() if isinstance(each, DiskStore)}


class DiskStore(MemoryPartitionStore):
    """One partition's part of the disk."""

    def __init__(self, changelog: str, disk: SimulatedDisk) -> None:
        super().__init__(changelog)
        self._disk = disk

    def write(self, entries: Mapping[bytes, bytes | None], position: int) -> None:
        self._disk.on_write(lambda: super(DiskStore, self).write(entries, position))

    def copied_to(self, disk: SimulatedDisk) -> "DiskStore":
        """Return the same on another disk."""
        store = DiskStore(self.changelog, disk)
        store._entries, store._position = dict(self._entries), self._position
        return store
