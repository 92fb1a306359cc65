"""The spool of a running edge: records are appended before their answer, and read by the publisher.

One thread appends, another one reads and retires. They share the end of what was written, which only grows.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from edge.spool.folder import LockedFolder
from edge.spool.position import Position, PositionFile
from edge.spool.record import DamagedRecord, SpooledRecord, UnfinishedRecord, encode
from edge.spool.segment import SegmentReader, SegmentWriter, segment_numbers, segment_path

SEGMENT_BYTES = 64 << 20


class SpoolFull(Exception):
    """The spool has reached its limit, or its disk takes no more: the record was not kept."""


class Spooled(NamedTuple):
    """A record on its way, and the position that follows it."""

    record: SpooledRecord
    next: Position


class Spool:
    """Appends to the segments of one folder."""

    def __init__(self, folder: LockedFolder, *, limit_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._segment_bytes = segment_bytes
        self._number = 0
        self._writer: SegmentWriter | None = None
        self._must_begin_segment = False

    def begin_segment(self) -> None:
        """Append the next record to a new segment; another thread may ask for it."""
        self._must_begin_segment = True

    @property
    def end(self) -> Position:
        """The position after the last record."""
        return Position(self._number, self._writer.end) if self._writer else Position(self._number + 1)

    def append(self, record: SpooledRecord) -> None:
        """Keep the record; once this returns, it outlives the process. Raises SpoolFull, ValueError."""
        encoded = encode(record)
        try:
            self._writer_with_room(len(encoded)).append(encoded)
        except OSError as error:
            self.close()  # the next record begins a new segment: this one may end in half a record
            raise SpoolFull(f"the disk of the spool takes no more ({os.strerror(error.errno or 0)})") from error

    def sync(self) -> None:
        """Bring everything appended to the disk itself. Raises SpoolFull."""
        try:
            if self._writer:
                self._writer.sync()
        except OSError as error:
            raise SpoolFull(f"the disk of the spool does not sync ({os.strerror(error.errno or 0)})") from error

    def close(self) -> None:
        """Close the segment that is written."""
        if self._writer:
            self._writer.close()
            self._writer = None

    def _writer_with_room(self, record_bytes: int) -> SegmentWriter:
        if self._writer and self._writer.has_room(record_bytes) and not self._must_begin_segment:
            return self._writer
        if size_bytes(self._folder.path.parent) + self._segment_bytes > self._limit_bytes:
            raise SpoolFull(f"the spool has reached its limit of {self._limit_bytes} bytes")
        writer = SegmentWriter(segment_path(self._folder.path, self._number + 1), self._segment_bytes)
        self.close()
        self._writer, self._number, self._must_begin_segment = writer, self._number + 1, False
        return writer


class SpoolReader:
    """Reads what a folder holds beyond its position, and retires what the broker has."""

    def __init__(self, folder: LockedFolder, begin_segment: Callable[[], None] = lambda: None) -> None:
        """`begin_segment` makes the writer leave the segment that it writes."""
        self._folder = folder
        self._begin_segment = begin_segment
        self._file = PositionFile(folder.path)
        self._retired = self._file.read()
        self._next = self._retired
        self._reader: SegmentReader | None = None
        self.damaged: list[Path] = []

    def read(self, end: Position | None = None) -> Iterator[Spooled]:
        """Yield the records from where the last call stopped, up to `end`, or to the end of what a dead process left.

        A damaged record ends its segment: the file is set aside, listed in `damaged`, and never skipped in silence. A
        segment that is still written is set aside once the writer has left it.
        """
        for number in self._segments_to_read(end):
            if number > self._next.segment:
                self._next = Position(number)
                self._close_reader()
            if end is not None and number > end.segment:
                return
            is_open = end is not None and number == end.segment
            yield from self._read_segment(number, end.offset if end is not None and is_open else None, is_open=is_open)

    def rewind(self) -> None:
        """Read again from the first record that is not retired."""
        self._close_reader()
        self._next = self._retired

    def retire(self, position: Position) -> None:
        """Note that the broker has everything before this position, and delete whole segments before it."""
        self._file.write(position)
        if position.segment > self._retired.segment:
            for number in [each for each in segment_numbers(self._folder.path) if each < position.segment]:
                segment_path(self._folder.path, number).unlink(missing_ok=True)
        self._retired = position

    def close(self) -> None:
        """Close the files."""
        self._close_reader()
        self._file.close()

    def _segments_to_read(self, end: Position | None) -> list[int]:
        if end is not None and end.segment == self._next.segment:
            return [end.segment] if end.offset > self._next.offset else []
        return [each for each in segment_numbers(self._folder.path) if each >= self._next.segment]

    def _read_segment(self, number: int, limit: int | None, *, is_open: bool) -> Iterator[Spooled]:
        path = segment_path(self._folder.path, number)
        if self._reader is None:
            self._reader = SegmentReader(path, self._next.offset)
        try:
            for stored in self._reader.read(limit):
                self._next = Position(number, stored.end)
                yield Spooled(stored.record, self._next)
        except UnfinishedRecord:
            return
        except DamagedRecord:
            if is_open:
                self._begin_segment()
            else:
                self._set_aside(path)

    def _set_aside(self, path: Path) -> None:
        self._close_reader()
        self.damaged.append(self._folder.set_aside(path))
        self._next = Position(self._next.segment + 1)

    def _close_reader(self) -> None:
        if self._reader:
            self._reader.close()
            self._reader = None


def size_bytes(spool: Path) -> int:
    """Return the size of the segments of all processes on disk."""
    return sum(path.stat().st_size for path in spool.glob("*/*.segment*"))
