"""The database under `rocksdb`: its options and the meaning of its errors; rocksdict raises plain Exception for all.

The next start deletes a damaged database, which is only a copy of the changelog: RocksDB cannot tell which batches a
corrupt block held, and would stop again when it next compacts it.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from errno import EACCES, EDQUOT, EMFILE, ENOSPC, EPERM, EROFS
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

from runtime.errors import Unavailable, UsageError
from runtime.ports import StateRefused
from runtime.state.disk import failure_at_start
from runtime.state.rocksdb_files import DAMAGED, has_database

_LOG = structlog.get_logger(__name__)

_MEGABYTE = 1 << 20
_REFUSALS = (EACCES, EDQUOT, EMFILE, ENOSPC, EPERM, EROFS)
"""System errors that RocksDB reports by their text."""
_SIGNS_OF_DAMAGE = ("Corruption", "Invalid argument", "No such file")


class Database:
    """One open database. Raises Unavailable if it reads damaged data: a restart restores the state."""

    def __init__(self, folder: Path, handle: Rdict) -> None:
        self._folder = folder
        self._handle = handle

    def get_many(self, keys: Iterable[bytes]) -> list[bytes | None]:
        """Return the value of each key, in order."""
        try:
            return cast("list[bytes | None]", self._handle.get([*keys]))
        except Exception as error:
            raise self._damage(error) from error

    def items(self, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield all entries from a key on, in the order of the keys."""
        last = start
        for key, value in cast("Iterator[tuple[bytes, bytes]]", self._handle.items(from_key=start)):
            last = key
            yield key, value
        self._check_end(last)

    def write(self, batch: WriteBatch) -> None:
        """Write all of the batch or nothing. Raises RetriableError if the disk fails."""
        try:
            self._handle.write(batch)
        except Exception as error:
            if _is_damage(error):
                raise self._damage(error) from error
            raise StateRefused(f"the state could not be written: {error}") from error

    def delete_range(self, start: bytes, end: bytes) -> None:
        """Delete the keys from `start` up to but excluding `end`. Raises RetriableError if the disk fails."""
        try:
            self._handle.delete_range(start, end)
        except Exception as error:
            raise StateRefused(f"the state could not be written: {error}") from error

    def told(self, name: str) -> int:
        """Return a numeric property of RocksDB; 0 if it has none of this name."""
        return self._handle.property_int_value(f"rocksdb.{name}") or 0

    def close(self) -> None:
        """Flush and unlock; a failure is only logged."""
        try:
            self._handle.close()
        except Exception as error:  # noqa: BLE001 - rocksdict raises plain Exception for everything
            _LOG.warning("state.unflushed", detail=str(error))

    def _check_end(self, last: bytes) -> None:
        """Raise unless the iteration reached the end: rocksdict also ends it at an unreadable block."""
        cursor = self._handle.iter()
        cursor.seek(last)
        while cursor.valid():
            cursor.next()
        try:
            cursor.status()
        except Exception as error:
            raise self._damage(error) from error

    def _damage(self, error: Exception) -> Unavailable:
        with suppress(OSError):
            (self._folder / DAMAGED).touch()
        return Unavailable(f"The state in {self._folder} is damaged ({error}); start again, and it is rebuilt")


def open_database(folder: Path) -> Database:
    """Open the database of a folder, or create it; a damaged one is replaced by an empty one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / DAMAGED).exists():
            _throw_away(folder, "it was found to be damaged while it was read")
    except OSError as error:
        raise failure_at_start(folder, error) from error
    try:
        return Database(folder, _open(folder))
    except Exception as error:
        if not _is_damage(error):
            raise _opening_failed(folder, error) from error
        _throw_away(folder, str(error))
    try:
        return Database(folder, _open(folder))
    except Exception as error:
        raise _opening_failed(folder, error) from error


def discard_database(folder: Path) -> None:
    """Delete the database in a folder, if there is one, and nothing else in it.

    Raises UsageError if a process has it open.
    """
    if not has_database(folder):
        return
    try:
        Rdict.destroy(str(folder))
    except Exception as error:
        raise _opening_failed(folder, error) from error
    for path in (folder / "rocksdict-config.json", folder / "LOCK", folder / DAMAGED):
        path.unlink(missing_ok=True)


def _throw_away(folder: Path, reason: str) -> None:
    _LOG.warning("state.rebuilt", folder=str(folder), detail=reason)
    (folder / DAMAGED).touch()
    discard_database(folder)


def _is_damage(error: Exception) -> bool:
    return any(sign in str(error) for sign in _SIGNS_OF_DAMAGE)


def _opening_failed(folder: Path, error: Exception) -> Exception:
    refused = next((each for each in _REFUSALS if os.strerror(each) in str(error)), None)
    if refused is not None:
        return failure_at_start(folder, OSError(refused, os.strerror(refused)))
    if "lock" in str(error).lower():
        return UsageError(
            f"The state in {folder} is in use by another process; give each worker on a machine its own"
            " LINK_ACTIONS_INSTANCE_ID"
        )
    return Unavailable(f"The state in {folder} cannot be opened ({error}); delete the folder, and it is rebuilt")


def _open(folder: Path) -> Rdict:
    options = _options()
    # RocksDB reopens a column family with the options it was made with unless it is named here.
    handle = Rdict(str(folder), options, column_families={"default": options})
    write_options = WriteOptions()
    write_options.disable_wal = True  # type: ignore[method-assign, assignment]  # an attribute, contrary to its stub
    write_options.memtable_insert_hint_per_batch = True
    handle.set_write_options(write_options)
    return handle


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
