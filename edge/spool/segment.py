"""A segment: one preallocated file of records, written from front to back by one process and never again.

It is preallocated, so a full disk is met when a segment begins and not in the middle of a record. Zeros follow the last
record. One process writes it; readers open it separately, also in another process later.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge.spool.record import SpooledRecord, records_in

SUFFIX = ".segment"
_DIGITS = 12
_READ_BYTES = 1 << 20


class Stored(NamedTuple):
    """A record, and the offset in the segment that follows it."""

    record: SpooledRecord
    end: int


class SegmentWriter:
    """Appends to a new segment. Raises OSError from the disk."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.end = 0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self._file, 0, size_bytes)
        except OSError:
            os.close(self._file)
            path.unlink()
            raise

    def has_room(self, size_bytes: int) -> bool:
        """Return whether that many bytes fit."""
        return self.end + size_bytes <= self.size_bytes

    def append(self, encoded: bytes) -> None:
        """Write a whole record at the end. Once this returns, the record outlives the process.

        Raises OSError, after which the segment must be closed: it may end in half a record.
        """
        written = os.pwrite(self._file, encoded, self.end)
        if written != len(encoded):
            raise OSError(f"{written} of {len(encoded)} bytes were written")
        self.end += written

    def sync(self) -> None:
        """Flush appended records to the disk: from here on they outlive a power cut."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Truncate the file to its records and close it."""
        try:
            os.ftruncate(self._file, self.end)
        finally:
            os.close(self._file)


class SegmentReader:
    """Reads the records of a segment from an offset on, also while they are being written."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.offset = offset
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, limit: int | None = None) -> Iterator[Stored]:
        """Yield the records from `offset` on, up to `limit` of the file or to where none has been written yet.

        Raises DamagedRecord or UnfinishedRecord at one that is not whole.
        """
        while True:
            wanted = _READ_BYTES if limit is None else min(_READ_BYTES, limit - self.offset)
            buffer, start = os.pread(self._file, max(wanted, 0), self.offset), self.offset
            for record, end in records_in(buffer):
                self.offset = start + end
                yield Stored(record, self.offset)
            if self.offset == start:
                return

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def segment_path(folder: Path, number: int) -> Path:
    """Return where the segment of this number is."""
    return folder / f"{number:0{_DIGITS}}{SUFFIX}"


def segment_numbers(folder: Path) -> list[int]:
    """Return the numbers of the segments in a folder, in order."""
    return sorted(int(path.stem) for path in folder.glob(f"*{SUFFIX}") if path.stem.isdecimal())
