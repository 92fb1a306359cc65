"""The state of one partition in row files."""

from collections.abc import Iterator, Mapping, Sequence

from runtime.state.disk import refused
from runtime.state.rowfile.compaction import Compaction, compact_some
from runtime.state.rowfile.index import HashIndex
from runtime.state.rowfile.matcher import OpenMatcher
from runtime.state.rowfile.row import ROW_BYTES
from runtime.state.rowfile.row_files import RowFiles
from runtime.state.rowfile.scanning import entries_with_prefix, first_entries, read_page
from runtime.state.store import StateSize

_MIN_KEYS = 1_024
"""Minimum number of keys read before pages are released: for smaller batches, mapping them again costs more."""
_BYTES_PER_KEY = 1 << 14
"""File bytes per such key. Linux maps 64 KiB around a row, so each part is mapped again once per four keys."""


class RowPartitionStore:
    """State of one partition."""

    def __init__(
        self,
        files: RowFiles,
        changelog: str,
        index: HashIndex,
        *,
        live_rows: int,
        compaction: Compaction,
        open_matcher: OpenMatcher,
    ) -> None:
        """`index` and `live_rows` belong to the files; `build_index` returns them."""
        self.changelog = changelog
        self._files = files
        self._index = index
        self._live_rows = live_rows
        self._compaction = compaction
        self._matcher = open_matcher(index, files)
        self._keys_read = 0

    @property
    def position(self) -> int:
        """Offset of the changelog record to read next."""
        return self._files.newest.last_batch.position

    @property
    def size(self) -> StateSize:
        """Number of keys, and the memory and disk that they take."""
        disk_bytes = sum(segment.end for segment in self._files.all) * ROW_BYTES
        return StateSize(self._index.size, self._index.memory_bytes, disk_bytes)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, in order."""
        values = self._matcher.look_up(keys)
        self._count_reads(len(keys))
        return values

    def write(self, entries: Mapping[bytes, bytes | None], position: int) -> None:
        """Compact a slice of the older file, if there is one; then append the entries as one batch, in one write.

        Raises RetriableError if the disk refuses, and Unavailable if the index has no memory left to grow; no entry is
        stored then.
        """
        self._index.make_room(len(entries))
        try:
            self._compact(len(entries))
            self._append(entries, position)
        except OSError as error:
            raise refused("the state could not be written", error) from error
        self._count_reads(len(entries))

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries whose key starts with the prefix, in the order of the keys; reads everything."""
        return iter(entries_with_prefix(self._files, self._index, prefix))

    def scan_from(self, key: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` entries from this key on, in the order of the keys; reads everything."""
        return first_entries(self._files, self._index, key, limit)

    def page(self, cursor: bytes, limit: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return up to `limit` entries, in the order they were written, and the cursor of the next page.

        A pass ends only if a page holds more entries than are written between two pages.
        """
        return read_page(self._files, self._index, cursor, limit)

    def close(self) -> None:
        """Close the files and free the memory."""
        self._files.close()

    def _count_reads(self, keys: int) -> None:
        """Release the mapped pages, but only once per many keys: mapping them again costs time."""
        self._keys_read += keys
        if self._keys_read >= max(_MIN_KEYS, self.size.disk_bytes // _BYTES_PER_KEY):
            self._files.release_pages()
            self._keys_read = 0

    def _append(self, entries: Mapping[bytes, bytes | None], position: int) -> None:
        block = self._matcher.encode(entries)
        added_rows = self._matcher.mark_replaced(block)
        segment = self._files.newest
        first = self._files.number(segment, segment.end)
        segment.append(block.rows, position, segment.last_batch.compacted_rows)
        self._live_rows += added_rows
        self._matcher.insert(block, first)

    def _compact(self, entries: int) -> None:
        """Drop dead rows: each write copies a slice of the live ones to a new file; then the old file is deleted."""
        files = self._files
        files.delete_some(self._compaction.deleted_per_write)
        if files.older is None:
            dead = files.newest.end - self._live_rows
            if dead < self._compaction.min_dead_rows or dead * 3 < files.newest.end:
                return
            files.start_segment(self.changelog)
        compact_some(files, self._index, self._compaction.per_write + self._compaction.per_row * entries)
