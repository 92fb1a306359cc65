"""In-memory fake of the state store, for tests and for trying out; lost with the process."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice

from runtime.state.store import BEGINNING, StateSize, page_by_key


class MemoryPartitionStore:
    """State of one partition in a dict."""

    def __init__(self, changelog: str) -> None:
        self.changelog = changelog
        self._entries: dict[bytes, bytes] = {}
        self._position = BEGINNING

    @property
    def position(self) -> int:
        """Offset of the changelog record to read next."""
        return self._position

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, in order."""
        return [self._entries.get(key) for key in keys]

    def write(self, entries: Mapping[bytes, bytes | None], position: int) -> None:
        """Store entries and position."""
        for key, value in entries.items():
            if value is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = value
        self._position = position

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries whose key starts with the prefix."""
        return ((key, self._entries[key]) for key in sorted(self._entries) if key.startswith(prefix))

    def scan_from(self, key: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` entries from this key on."""
        later = (entry for entry in sorted(self._entries) if entry >= key)
        return [(entry, self._entries[entry]) for entry in islice(later, limit)]

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self._entries)

    def page(self, cursor: bytes, limit: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the next entries by key; the cursor is the key after the last one."""
        return page_by_key(self.scan_from(cursor, limit), limit)


class MemoryState:
    """The stores of all partitions, in memory."""

    def __init__(self) -> None:
        self._stores: dict[int, MemoryPartitionStore] = {}

    def open(self, partition: int, changelog: str) -> MemoryPartitionStore:
        """Return the store of the partition."""
        store = self._stores.get(partition)
        return store if store and store.changelog == changelog else self.reset(partition, changelog)

    def open_in_steps(self, partition: int, changelog: str) -> Generator[None, None, MemoryPartitionStore]:
        """Return the store of the partition at once, without any steps."""
        yield from ()
        return self.open(partition, changelog)

    def size(self) -> StateSize:
        """Return the number of entries; their size is unknown."""
        return StateSize(sum(store.size for store in list(self._stores.values())))

    def reset(self, partition: int, changelog: str) -> MemoryPartitionStore:
        """Return an empty store for the partition."""
        store = self._stores[partition] = MemoryPartitionStore(changelog)
        return store

    def release(self, partition: int) -> None:
        """Do nothing: the entries stay for the next `open`, as on a disk."""

    def close(self) -> None:
        """Do nothing: the entries stay for the next `open`, as on a disk."""
