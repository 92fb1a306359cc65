"""The spool of a running edge: records are appended before their answer.

One thread appends; the publisher's thread reads (`reader.py`). They share the end of what was written, which only
grows.
"""

import os
from contextlib import suppress
from pathlib import Path

from edge.spool.files import files_of_all
from edge.spool.folder import LockedFolder
from edge.spool.position import Position
from edge.spool.record import SpooledRecord, encode
from edge.spool.segment import SUFFIX, SegmentWriter

SEGMENT_BYTES = 64 << 20


class SpoolFull(Exception):
    """The spool has reached its limit, or its disk refuses writes: the record was not kept."""


class Spool:
    """Appends to the segments of one folder."""

    def __init__(self, folder: LockedFolder, *, limit_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._segment_bytes = segment_bytes
        self._number = 0
        self._writer: SegmentWriter | None = None
        self._rolled: list[SegmentWriter] = []
        self._must_roll = False
        self._refused_with: int | None = None
        """The errno of a disk that has refused a segment. Only `prepare` tries again: a refusal takes milliseconds."""

    def roll(self) -> None:
        """Append the next record to a new segment; any thread may ask for it."""
        self._must_roll = True

    @property
    def end(self) -> Position:
        """The position after the last record; any thread may ask."""
        writer = self._writer
        return Position(writer.number, writer.end) if writer else Position(self._number + 1)

    def prepare(self) -> None:
        """Begin a segment unless one is being written. Raises SpoolFull if the disk refuses writes.

        Once it has refused a segment, `append` does not ask it again until this has begun one.
        """
        self._refused_with = None
        try:
            self._writer_with_room(0)
        except OSError as error:
            raise _refused_by_disk(error) from error

    def append(self, *records: SpooledRecord) -> None:
        """Keep the records, in one write; once this returns, they outlive the process. Raises SpoolFull, ValueError."""
        encoded = encode(records[0]) if len(records) == 1 else b"".join(map(encode, records))
        try:
            self._writer_with_room(len(encoded)).append(encoded)
        except OSError as error:
            self._close_segment()  # it may end in a torn record
            raise _refused_by_disk(error) from error

    def sync(self) -> None:
        """Bring everything appended to the disk itself; on one thread, which may be another one. Raises SpoolFull."""
        writer, rolled = self._writer, self._rolled[:]  # in this order: `writer` may be rolled meanwhile
        try:
            for each in (*rolled, *([writer] if writer else [])):
                each.sync()
        except OSError as error:
            raise SpoolFull(f"the disk of the spool does not sync ({os.strerror(error.errno or 0)})") from error
        finally:
            del self._rolled[: len(rolled)]
            for each in rolled:
                each.close()

    def close(self) -> None:
        """Close the files. Nothing may be appended any more, nor synced."""
        self._close_segment()
        for each in self._rolled:
            each.close()
        self._rolled.clear()

    def _close_segment(self) -> None:
        """Begin a new segment with the next record; `sync` closes the file of this one."""
        writer, self._writer = self._writer, None
        if writer:
            with suppress(OSError):  # what follows its records are zeros, which readers skip
                writer.truncate()
            self._rolled.append(writer)

    def _writer_with_room(self, record_bytes: int) -> SegmentWriter:
        if self._writer and self._writer.has_room(record_bytes) and not self._must_roll:
            return self._writer
        if size_bytes(self._folder.path.parent) + self._segment_bytes > self._limit_bytes:
            raise SpoolFull(f"the spool has reached its limit of {self._limit_bytes} bytes")
        self._writer = self._new_writer()
        self._number = self._writer.number  # after the writer: `end` must never be beyond the segment that is written
        self._must_roll = False
        return self._writer

    def _new_writer(self) -> SegmentWriter:
        if self._refused_with is not None:
            raise OSError(self._refused_with, os.strerror(self._refused_with))
        try:
            writer = SegmentWriter(self._folder.path, self._number + 1, self._segment_bytes)
        except OSError as error:
            self._refused_with = error.errno or 0
            raise
        self._close_segment()
        return writer


def _refused_by_disk(error: OSError) -> SpoolFull:
    return SpoolFull(f"the disk of the spool refuses writes ({os.strerror(error.errno or 0)})")


def size_bytes(spool: Path) -> int:
    """Return the size of the segments of all processes on disk; others may delete some meanwhile."""
    return sum(map(_size_bytes, files_of_all(spool, with_part=SUFFIX)))


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
