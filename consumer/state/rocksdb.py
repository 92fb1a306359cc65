"""State kept in RocksDB: one database for all partitions of the process, so that memory does not grow with them.

No write-ahead log: a crash loses the newest writes whole, entries and position alike, and the changelog gives them
back. A key is the partition in two bytes and the entry's key; what the store notes about the partition itself has
the key of the partition alone.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import cast

import structlog
from rocksdict import (
    BlockBasedOptions,
    Cache,
    DataBlockIndexType,
    DBCompactionStyle,
    DBCompressionType,
    Options,
    Rdict,
    UniversalCompactOptions,
    WriteBatch,
    WriteOptions,
)

from consumer.errors import Unavailable, UsageError
from consumer.state.store import BEGINNING, StateSize, page_by_key
from consumer.streams import Unreachable

_LOG = structlog.get_logger(__name__)

_MEGABYTE = 1 << 20
_POSITION_BYTES = 8
_IN_MEMORY = ("cur-size-all-mem-tables", "block-cache-usage", "estimate-table-readers-mem")


class RocksPartitionStore:
    """State of one partition: a range of the database's keys."""

    def __init__(self, database: Rdict, partition: int, changelog: str, position: int) -> None:
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
        return cast("list[bytes | None]", self._database.get([partition + key for key in keys]))

    def write(self, entries: Mapping[bytes, bytes | None], position: int) -> None:
        """Keep entries and position in one write batch, sorted, which spares RocksDB half of its search."""
        batch = WriteBatch(raw_mode=True)
        partition = self._partition
        for key, value in sorted(entries.items()):
            if value is None:
                batch.delete(partition + key)
            else:
                batch.put(partition + key, value)
        batch.put(partition, position.to_bytes(_POSITION_BYTES, "big") + self._changelog.encode())
        _write(self._database, batch)
        self._position = position

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries whose key starts with the prefix, in the order of the keys."""
        whole = self._partition + prefix
        for key, value in self._items(whole):
            if not key.startswith(whole):
                return
            if len(key) > len(self._partition):
                yield key[len(self._partition) :], value

    def scan_from(self, key: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` entries from this key on."""
        partition = self._partition
        entries = islice(self._items(partition + key), limit + 1)
        found = [(entry[len(partition) :], value) for entry, value in entries if entry.startswith(partition)]
        return [(entry, value) for entry, value in found if entry][:limit]

    def page(self, cursor: bytes, limit: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return the next entries by key; the cursor is the key after the last one."""
        return page_by_key(self.scan_from(cursor, limit), limit)

    def _items(self, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        return cast("Iterator[tuple[bytes, bytes]]", self._database.items(from_key=start))


class RocksState:
    """The database of one process, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Open the database or make it. Raises UsageError where another process has it open, or Unavailable."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"The state in {folder} cannot be opened ({error})") from error
        options = _options()
        try:
            # RocksDB reopens a column family with the options it was made with unless it is named here.
            self._database = Rdict(str(folder), options, column_families={"default": options})
        except Exception as error:  # rocksdict raises plain Exception for everything
            raise _opening_failed(folder, error) from error
        write_options = WriteOptions()
        write_options.disable_wal = True  # type: ignore[method-assign, assignment]  # an attribute, whatever its stub says
        write_options.memtable_insert_hint_per_batch = True
        self._database.set_write_options(write_options)

    def open(self, partition: int, changelog: str) -> RocksPartitionStore:
        """Return the store of the partition, emptied first unless it is a copy of that very changelog."""
        noted: bytes | None = self._database.get(_prefix(partition))
        if noted is None or noted[_POSITION_BYTES:].decode() != changelog:
            return self.reset(partition, changelog)
        position = int.from_bytes(noted[:_POSITION_BYTES], "big")
        return RocksPartitionStore(self._database, partition, changelog, position)

    def open_gradually(self, partition: int, changelog: str) -> Generator[None, None, RocksPartitionStore]:
        """Return the store of the partition, in no step at all: nothing is read for it."""
        yield from ()
        return self.open(partition, changelog)

    def size(self) -> StateSize:
        """Return what RocksDB tells of the whole database; it estimates the keys."""
        told = self._database.property_int_value
        return StateSize(
            keys=told("rocksdb.estimate-num-keys") or 0,
            memory_bytes=sum(told(f"rocksdb.{name}") or 0 for name in _IN_MEMORY),
            disk_bytes=told("rocksdb.total-sst-files-size") or 0,
        )

    def reset(self, partition: int, changelog: str) -> RocksPartitionStore:
        """Return an empty store for the partition."""
        self._database.delete_range(_prefix(partition), _prefix(partition + 1))
        return RocksPartitionStore(self._database, partition, changelog, BEGINNING)

    def release(self, partition: int) -> None:
        """Do nothing: memory does not grow with the partitions."""

    def close(self) -> None:
        """Flush and unlock the folder. What a disk refuses at the end is only read from the changelog once more."""
        try:
            self._database.close()
        except Exception as error:  # noqa: BLE001 - rocksdict raises plain Exception for everything
            _LOG.warning("state.unflushed", detail=str(error))


def _prefix(partition: int) -> bytes:
    return partition.to_bytes(2, "big")


def _write(database: Rdict, batch: WriteBatch) -> None:
    try:
        database.write(batch)
    except Exception as error:  # rocksdict raises plain Exception for everything
        raise Unreachable(f"the state could not be written: {error}") from error


def _opening_failed(folder: Path, error: Exception) -> Exception:
    if "lock" in str(error).lower():
        return UsageError(
            f"The state in {folder} is in use by another process; give each worker on a machine its own"
            " LINK_ACTIONS_INSTANCE_ID"
        )
    return Unavailable(f"The state in {folder} cannot be opened ({error}); delete the folder, and it is rebuilt")


def _options() -> Options:
    """Settings measured for keys of 30 bytes, from 10^5 to 10^8 of them: docs/decisions/0004-state-store.md."""
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_compaction_style(DBCompactionStyle.universal())
    universal = UniversalCompactOptions()
    universal.min_merge_width = 4
    universal.size_ratio = 50
    universal.max_size_amplification_percent = 400
    options.set_universal_compaction_options(universal)
    options.set_level_zero_file_num_compaction_trigger(8)
    options.set_write_buffer_size(16 * _MEGABYTE)
    options.set_max_write_buffer_number(4)
    options.set_allow_mmap_reads(True)
    options.set_compression_type(DBCompressionType.none())
    options.set_memtable_whole_key_filtering(True)
    options.set_memtable_prefix_bloom_ratio(0.1)
    options.set_allow_concurrent_memtable_write(False)
    options.set_max_open_files(-1)
    options.set_max_background_jobs(2)
    table = BlockBasedOptions()
    table.set_bloom_filter(10, False)
    table.set_format_version(6)
    table.set_data_block_index_type(DataBlockIndexType.binary_and_hash())
    table.set_block_cache(Cache(64 * _MEGABYTE))
    options.set_block_based_table_factory(table)
    return options
