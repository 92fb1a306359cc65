"""Port of the local state store: whole batches in and out, one partition at a time.

The store is a copy of the partition's changelog up to a position, never ahead of it: entries and position are
written together, and only after the transaction that holds them was committed. So after a crash at any point,
reading the changelog from the stored position brings the store up to date.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

BEGINNING = 0
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class StateSize:
    """Size of one or more stores: keys (RocksDB estimates them), memory (mapped file pages not counted), and disk."""

    keys: int = 0
    memory_bytes: int = 0
    disk_bytes: int = 0

    def __add__(self, other: "StateSize") -> "StateSize":
        """Return the sum."""
        return StateSize(
            self.keys + other.keys, self.memory_bytes + other.memory_bytes, self.disk_bytes + other.disk_bytes
        )


class PartitionStore(Protocol):
    """State of one partition."""

    @property
    def position(self) -> int:
        """Offset of the changelog record to read next; BEGINNING for a new store."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, in order; None where there is none."""

    def write(self, entries: Mapping[bytes, bytes | None], position: int) -> None:
        """Store the entries (None deletes) and the position atomically, even if the process dies during the call.

        Raises RetriableError if the disk refuses the write: nothing is stored then, and the caller may try again.
        Raises Unavailable if the store is damaged, or has no memory left to grow.
        """

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries whose key starts with the prefix, in the order of the keys."""

    def scan_from(self, key: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` entries from this key on, in the order of the keys."""

    def page(self, cursor: bytes, limit: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return up to `limit` entries and the cursor of the next page.

        A pass starts with an empty cursor and ends when one is returned. It returns every entry that exists during the
        whole pass, in no particular order. It may not end while more is written between two pages than a page holds.
        """


class StateStore(Protocol):
    """The stores of all partitions of one process."""

    def open(self, partition: int, changelog: str) -> PartitionStore:
        """Return the store of the partition, emptied first unless it is a copy of this changelog.

        `changelog` identifies the topic beyond its name (cluster and topic id), so that a store is not
        mistaken for the copy of a recreated topic. Raises RetriableError or Unavailable, as `write` does.
        """

    def open_in_steps(self, partition: int, changelog: str) -> Generator[None, None, PartitionStore]:
        """Open as `open` does, in steps between which the caller may do something else, or close the generator."""

    def size(self) -> StateSize:
        """Return the size of all open stores. Thread-safe."""

    def reset(self, partition: int, changelog: str) -> PartitionStore:
        """Return an empty store for the partition, and delete its previous entries."""

    def release(self, partition: int) -> None:
        """Free the memory of an open partition; its entries stay, and its store must not be used again."""

    def close(self) -> None:
        """Close files and release locks."""


def exhaust(steps: Generator[None, None, Result]) -> Result:
    """Run the generator to its end and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def page_by_key(entries: list[tuple[bytes, bytes]], limit: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return entries sorted by key as a page, with the cursor right after the last key; empty if none may follow."""
    return entries, entries[-1][0] + b"\x00" if len(entries) == limit else b""
