"""A segment: one preallocated file of records, written from front to back by one process and never again.

It is preallocated, so a full disk is met when a segment begins and not in the middle of a record. Zeros follow the last
record. One process writes it; readers open it separately, also in another process later.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.spool.files import paths_in
from edge.spool.record import MAX_RECORD_BYTES, DamagedRecord, SpooledRecord, after_torn_record
from edge.spool.scans import best_scan

SUFFIX = ".segment"
NEW = ".new"
"""Further suffix of a segment that has no room on the disk yet; readers pass it over."""
_DIGITS = 12
_NAME = re.compile(rf"[0-9]{{{_DIGITS}}}{re.escape(SUFFIX)}")
_READ_BYTES = 1 << 20
MAX_BLOCK = 5_000
"""Records read at a time."""


class SegmentWriter:
    """Appends to a new segment of this number. Raises OSError from the disk."""

    def __init__(self, folder: Path, number: int, size_bytes: int) -> None:
        path = segment_path(folder, number)
        new = path.with_name(path.name + NEW)
        self.number = number
        self.size_bytes = size_bytes
        self.end = 0
        self._file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self._file, 0, size_bytes)
            new.rename(path)  # only now: a reader would hold on to a file that is deleted again
        except OSError:
            os.close(self._file)
            new.unlink()
            raise

    def has_room(self, size_bytes: int) -> bool:
        """Return whether that many bytes fit."""
        return self.end + size_bytes <= self.size_bytes

    def append(self, encoded: bytes) -> None:
        """Write a whole record at the end. Once this returns, the record outlives the process.

        Raises OSError, after which the segment must be closed: it may end in a torn record.
        """
        written = os.pwrite(self._file, encoded, self.end)
        if written != len(encoded):
            raise OSError(f"{written} of {len(encoded)} bytes were written")
        self.end += written

    def sync(self) -> None:
        """Flush appended records to the disk: from here on they outlive a power cut."""
        os.fdatasync(self._file)

    def truncate(self) -> None:
        """Cut the file off after its records; nothing may be appended afterwards."""
        os.ftruncate(self._file, self.end)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class SegmentReader:
    """Reads the records of a segment from an offset on, also while they are being written."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.offset = offset
        self._scan = best_scan()
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(
        self, limit: int | None = None, count: int = MAX_BLOCK
    ) -> Iterator[tuple[Sequence[SpooledRecord], Sequence[int]]]:
        """Yield the records from `offset` on, to the first one that is not whole; all of them are before `limit`.

        They come in blocks of at most `count`, together with the offsets that follow each. Raises DamagedRecord.
        """
        is_damaged = False
        while not is_damaged:
            wanted = _READ_BYTES if limit is None else min(_READ_BYTES, limit - self.offset)
            buffer, start = os.pread(self._file, max(wanted, 0), self.offset), self.offset
            records, ends, is_damaged = self._scan(buffer, count)
            if ends:
                self.offset = start + ends[-1]
                yield records, [start + end for end in ends]
            elif not is_damaged:
                break
        if is_damaged or (limit is not None and self.offset < limit):
            raise DamagedRecord("a record that was written is not there")

    def require_end(self) -> None:
        """Check that nothing was written after `offset` but a torn record, in a segment that nothing is appended to.

        Raises DamagedRecord.
        """
        tail = os.pread(self._file, MAX_RECORD_BYTES, self.offset)
        left, offset = after_torn_record(tail), self.offset + len(tail)
        while left:
            if left.strip(b"\0"):
                raise DamagedRecord("records follow one that is not there")
            left = os.pread(self._file, _READ_BYTES, offset)
            offset += len(left)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def segment_path(folder: Path, number: int) -> Path:
    """Return where the segment of this number is."""
    return folder / f"{number:0{_DIGITS}}{SUFFIX}"


def segment_numbers(folder: Path) -> list[int]:
    """Return the numbers of the segments in a folder, in order; none if it has just been removed."""
    return [int(path.stem) for path in paths_in(folder) if _NAME.fullmatch(path.name) and path.is_file()]
