"""A file of rows in batches: each batch is one write; its first row is the batch header, with a checksum of the rest.

A batch counts only if its first row has the right checksum, which is chained to the previous batch. So entries and
position always belong to the same batch after a crash. Nothing is synced to the disk: a power loss may leave
holes, which the checksums detect.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from errno import EFBIG
from mmap import ACCESS_READ, MADV_DONTNEED, mmap
from pathlib import Path
from struct import Struct
from zlib import crc32

import numpy as np

from runtime.state.rowfile.row import BATCH, KIND, ROW_BYTES, ROW_WORDS, Numbers, Rows, as_bytes
from runtime.state.rowfile.segment_header import BatchHeader, SegmentHeader, changelog_digest, decode_header
from runtime.state.store import BEGINNING

MAX_ROWS = 1 << 31
"""Maximum number of rows in a file: 100 GB."""

_BATCH = Struct("<qIII")
"""Changelog position, rows of the batch, compacted rows of the older file, checksum."""
_MIN_GROWTH_BYTES, _GROWTH_SHARE = 1 << 22, 8
"""A full file is extended by this many bytes, or by this part of its size if that is more."""
_VERIFY_STEP_BYTES = 1 << 24
"""Bytes verified in one step of loading."""


class Segment:
    """One file of rows. Read through mmap but written with pwrite, so a full disk raises OSError instead of SIGBUS."""

    def __init__(self, path: Path, descriptor: int, header: SegmentHeader) -> None:
        self.path = path
        self.header = header
        self.last_batch = header.before_first_batch()
        self._descriptor = descriptor
        self._allocated = 0
        self._map: mmap | None = None
        self._rows: Rows = np.zeros((0, ROW_WORDS), dtype=np.uint64)

    @classmethod
    def create(cls, path: Path, changelog: str, *, after: "Segment | None" = None) -> "Segment":
        """Create an empty file that continues `after`; replaces any file at this path."""
        generation, checksum, position = (
            (after.generation + 1, after.last_batch.checksum, after.last_batch.position) if after else (1, 0, BEGINNING)
        )
        header = SegmentHeader(generation, changelog_digest(changelog), checksum, position)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        segment = cls(path, descriptor, header)
        try:
            _write(descriptor, header.encode(), 0)
            segment._allocate(1)
        except OSError:
            segment.discard()
            raise
        return segment

    @classmethod
    def load(cls, path: Path, changelog: str) -> "Generator[None, None, Segment]":
        """Open the file, step by step, and truncate it after the last valid batch.

        Raises DamagedFile if the header is damaged, or belongs to another changelog or version.
        """
        with ExitStack() as stack:
            descriptor = os.open(path, os.O_RDWR)
            stack.callback(os.close, descriptor)
            segment = cls(path, descriptor, decode_header(os.pread(descriptor, ROW_BYTES, 0), changelog))
            rows = os.fstat(descriptor).st_size // ROW_BYTES
            segment._map_file(rows * ROW_BYTES)
            yield from segment._find_last_batch(rows)
            segment._unmap()
            segment._allocate(segment.end)
            stack.pop_all()
        return segment

    def follows(self, older: "Segment") -> bool:
        """Return whether this file was started exactly at the end of that one."""
        return self.generation == older.generation + 1 and self.header.older_checksum == older.last_batch.checksum

    @property
    def generation(self) -> int:
        """Sequence number of the file, from 1."""
        return self.header.generation

    @property
    def end(self) -> int:
        """Number of the next row to write (a row number, not a changelog position)."""
        return self.last_batch.end

    @property
    def rows(self) -> Rows:
        """All rows, including batch headers; row 0 is the file header. Valid until the next write."""
        return self._rows[: self.last_batch.end]

    def take(self, numbers: Numbers) -> Rows:
        """Return copies of rows."""
        return self._rows.take(numbers, axis=0)

    def release_pages(self) -> None:
        """Drop the resident pages of the map: they count in the RSS of this process, and are read again when needed."""
        if self._map is not None:
            self._map.madvise(MADV_DONTNEED)

    def append(self, rows: Rows, position: int, compacted_rows: int) -> None:
        """Write a batch; its first row is overwritten with the batch header. Stores nothing if it raises OSError."""
        if self.end + len(rows) > MAX_ROWS:
            raise OSError(EFBIG, f"a file holds {MAX_ROWS} rows")
        fields = (position, len(rows) - 1, compacted_rows)
        checksum = crc32(rows[1:].data, crc32(_BATCH.pack(*fields, 0), self.last_batch.checksum))
        first = as_bytes(rows[:1])[0]
        first[:] = 0
        first[: _BATCH.size] = np.frombuffer(_BATCH.pack(*fields, checksum), dtype=np.uint8)
        first[KIND] = BATCH
        self._allocate(self.end + len(rows))
        _write(self._descriptor, rows.tobytes(), self.end * ROW_BYTES)
        self.last_batch = BatchHeader(self.end + len(rows), checksum, position, compacted_rows)

    def close(self) -> None:
        """Truncate the file to its rows, and close it."""
        self._unmap()
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, self.end * ROW_BYTES)
            os.close(self._descriptor)
            self._descriptor = -1

    def discard(self) -> None:
        """Delete the file."""
        self.close()
        self.path.unlink(missing_ok=True)

    def discard_some(self, size: int) -> bool:
        """Truncate the file by `size` bytes, or delete it if no more are left; return whether it is deleted."""
        self._unmap()
        left = min(os.fstat(self._descriptor).st_size, self.end * ROW_BYTES) - size
        if left > 0:
            os.ftruncate(self._descriptor, left)
            return False
        self.discard()
        return True

    def _find_last_batch(self, rows: int) -> Iterator[None]:
        checked = 0
        for batch in self._valid_batches(rows):
            self.last_batch = batch
            if batch.end - checked > _VERIFY_STEP_BYTES // ROW_BYTES:
                checked = batch.end
                self.release_pages()
                yield

    def _valid_batches(self, rows: int) -> Iterator[BatchHeader]:
        batch, view = self.last_batch, as_bytes(self._rows).reshape(-1).data
        while batch.end < rows:
            start = batch.end * ROW_BYTES
            row = bytes(view[start : start + ROW_BYTES])
            position, count, compacted, checksum = _BATCH.unpack_from(row)
            body = view[start + ROW_BYTES : start + ROW_BYTES * (1 + count)]
            expected = row[: _BATCH.size].ljust(KIND, b"\0") + bytes((BATCH,)) + bytes(ROW_BYTES - KIND - 1)
            if row != expected or len(body) != count * ROW_BYTES or position < 0:
                return
            if crc32(body, crc32(_BATCH.pack(position, count, compacted, 0), batch.checksum)) != checksum:
                return
            batch = BatchHeader(batch.end + 1 + count, checksum, position, compacted)
            yield batch

    def _allocate(self, rows: int) -> None:
        """Extend the file and its map to at least this size; unwritten parts take no disk space."""
        if rows * ROW_BYTES <= self._allocated:
            return
        growth = max(_MIN_GROWTH_BYTES, rows * ROW_BYTES // _GROWTH_SHARE)
        size = (rows * ROW_BYTES + growth) // ROW_BYTES * ROW_BYTES
        os.ftruncate(self._descriptor, self.end * ROW_BYTES)
        os.ftruncate(self._descriptor, size)
        self._map_file(size)

    def _map_file(self, size: int) -> None:
        self._unmap()
        self._map = mmap(self._descriptor, size, access=ACCESS_READ)
        self._rows = np.frombuffer(self._map, dtype="<u8", count=size // 8).reshape(-1, ROW_WORDS)
        self._allocated = size

    def _unmap(self) -> None:
        """Drop the map; the memory is unmapped when its last view is dropped."""
        self._rows, self._map, self._allocated = np.zeros((0, ROW_WORDS), dtype=np.uint64), None, 0


def _write(descriptor: int, content: bytes, offset: int) -> None:
    """Write everything: a full disk causes a short write, then an error at the next call."""
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
