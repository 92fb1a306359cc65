"""State in RocksDB: one database for all partitions of the process, so that memory does not grow with their number.

No write-ahead log: a crash loses the newest writes whole, entries and position alike, and the changelog restores
them. A key is the partition in two bytes and the entry's key; the store's own data about the partition has the key
of the partition alone.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from rocksdict import WriteBatch

from runtime.state.rocksdb_database import Database, open_database
from runtime.state.store import BEGINNING, StateSize, page_by_key

_POSITION_BYTES = 8
_IN_MEMORY = ("cur-size-all-mem-tables", "block-cache-usage", "estimate-table-readers-mem")


class RocksPartitionStore:
    """State of one partition: a range of the database's keys."""

    def __init__(self, database: Database, partition: int, changelog: str, position: int) -> None:
        self._database = database
        self._partition = _prefix(partition)
        self._changelog = changelog
        self._position = position

    @property
    def position(self) -> int:
        """Offset of the changelog record to read next."""
        return self._position

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, in order."""
        partition = self._partition
        return self._database.get_many([partition + key for key in keys])

    def write(self, entries: Mapping[bytes, bytes | None], position: int) -> None:
        """Store entries and position in one write batch, sorted, which saves RocksDB half of its search."""
        batch = WriteBatch(raw_mode=True)
        partition = self._partition
        for key, value in sorted(entries.items()):
            if value is None:
                batch.delete(partition + key)
            else:
                batch.put(partition + key, value)
        batch.put(partition, position.to_bytes(_POSITION_BYTES, "big") + self._changelog.encode())
        self._database.write(batch)
        self._position = position

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries whose key starts with the prefix, in the order of the keys."""
        whole = self._partition + prefix
        for key, value in self._database.items(whole):
            if not key.startswith(whole):
                return
            if len(key) > len(self._partition):
                yield key[len(self._partition) :], value

    def scan_from(self, key: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` entries from this key on."""
        partition = self._partition
        entries = islice(self._database.items(partition + key), limit + 1)
        found = [(entry[len(partition) :], value) for entry, value in entries if entry.startswith(partition)]
        return [(entry, value) for entry, value in found if entry][:limit]

    def page(self, cursor: bytes, limit: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the next entries by key; the cursor is the key after the last one."""
        return page_by_key(self.scan_from(cursor, limit), limit)


class RocksState:
    """The database of one process, in its own folder."""

    def __init__(self, folder: Path) -> None:
        """Open the database, or create it if it is missing or damaged.

        Raises UsageError if another process has it open, or Unavailable.
        """
        self._database = open_database(folder)

    def open(self, partition: int, changelog: str) -> RocksPartitionStore:
        """Return the store of the partition, emptied first unless it is a copy of this changelog."""
        (stored,) = self._database.get_many([_prefix(partition)])
        if stored is None or stored[_POSITION_BYTES:].decode() != changelog:
            return self.reset(partition, changelog)
        position = int.from_bytes(stored[:_POSITION_BYTES], "big")
        return RocksPartitionStore(self._database, partition, changelog, position)

    def open_in_steps(self, partition: int, changelog: str) -> Generator[None, None, RocksPartitionStore]:
        """Return the store of the partition at once: opening it reads nothing."""
        yield from ()
        return self.open(partition, changelog)

    def size(self) -> StateSize:
        """Return RocksDB's figures for the whole database; the number of keys is an estimate."""
        told = self._database.told
        return StateSize(
            keys=told("estimate-num-keys"),
            memory_bytes=sum(map(told, _IN_MEMORY)),
            disk_bytes=told("total-sst-files-size"),
        )

    def reset(self, partition: int, changelog: str) -> RocksPartitionStore:
        """Return an empty store for the partition."""
        self._database.delete_range(_prefix(partition), _prefix(partition + 1))
        return RocksPartitionStore(self._database, partition, changelog, BEGINNING)

    def release(self, partition: int) -> None:
        """Do nothing: memory does not grow with the partitions."""

    def close(self) -> None:
        """Flush and unlock the folder. Writes that fail here are restored from the changelog."""
        self._database.close()


def _prefix(partition: int) -> bytes:
    return partition.to_bytes(2, "big")
