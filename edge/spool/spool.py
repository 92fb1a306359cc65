"""The spool of a running edge: records are appended before their answer, and read by the publisher.

One thread appends, another one reads and retires. They share the end of what was written, which only grows.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from edge.spool.folder import LockedFolder
from edge.spool.position import Position, PositionFile
from edge.spool.record import DamagedRecord, SpooledRecord, encode
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
        self._left: list[SegmentWriter] = []
        self._must_begin_segment = False

    def begin_segment(self) -> None:
        """Append the next record to a new segment; another thread may ask for it."""
        self._must_begin_segment = True

    @property
    def end(self) -> Position:
        """The position after the last record; any thread may ask."""
        writer = self._writer
        return Position(writer.number, writer.end) if writer else Position(self._number + 1)

    def prepare(self) -> None:
        """Begin a segment unless one is being written. Raises SpoolFull if the disk takes no more."""
        try:
            self._writer_with_room(0)
        except OSError as error:
            raise _refused_by_disk(error) from error

    def append(self, record: SpooledRecord) -> None:
        """Keep the record; once this returns, it outlives the process. Raises SpoolFull, ValueError."""
        encoded = encode(record)
        try:
            self._writer_with_room(len(encoded)).append(encoded)
        except OSError as error:
            self._leave_segment()  # it may end in half a record
            raise _refused_by_disk(error) from error

    def sync(self) -> None:
        """Bring everything appended to the disk itself; on one thread, which may be another one. Raises SpoolFull."""
        writer, left = self._writer, self._left[:]  # in this order: a segment that is left meanwhile is the first one
        try:
            for each in (*left, *([writer] if writer else [])):
                each.sync()
        except OSError as error:
            raise SpoolFull(f"the disk of the spool does not sync ({os.strerror(error.errno or 0)})") from error
        finally:
            del self._left[: len(left)]
            for each in left:
                each.close()

    def close(self) -> None:
        """Close the files. Nothing may be appended any more, nor synced."""
        self._leave_segment()
        for each in self._left:
            each.close()
        self._left.clear()

    def _leave_segment(self) -> None:
        """Begin a new segment with the next record; `sync` closes the file of this one."""
        writer, self._writer = self._writer, None
        if writer:
            with suppress(OSError):  # what follows its records are zeros, which readers skip
                writer.truncate()
            self._left.append(writer)

    def _writer_with_room(self, record_bytes: int) -> SegmentWriter:
        if self._writer and self._writer.has_room(record_bytes) and not self._must_begin_segment:
            return self._writer
        if size_bytes(self._folder.path.parent) + self._segment_bytes > self._limit_bytes:
            raise SpoolFull(f"the spool has reached its limit of {self._limit_bytes} bytes")
        writer = SegmentWriter(self._folder.path, self._number + 1, self._segment_bytes)
        self._leave_segment()
        self._writer = writer
        self._number = writer.number  # after the writer: `end` must never be beyond the segment that is written
        self._must_begin_segment = False
        return writer


def _refused_by_disk(error: OSError) -> SpoolFull:
    return SpoolFull(f"the disk of the spool takes no more ({os.strerror(error.errno or 0)})")


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
        self._unreadable: set[int] = set()
        self.damaged: list[Path] = []

    def read(self, end: Position | None = None) -> Iterator[Spooled]:
        """Yield the records from where the last call stopped, up to `end`, or to the end of what a dead process left.

        A damaged record ends its segment, which is set aside and listed in `damaged` once the records before the
        damage are retired. A segment that is still written is left by its writer first.
        """
        for number in self._segments_to_read(end):
            if number > self._next.segment:
                self._go_to(number)
            if end is not None and number > end.segment:
                return
            if end is not None and number == end.segment:
                yield from self._read_open(number, end.offset)
            else:
                yield from self._read_closed(number)

    @property
    def retired(self) -> Position:
        """The broker has every record before this position."""
        return self._retired

    def rewind(self) -> None:
        """Read again from the first record that is not retired."""
        self._close_reader()
        self._unreadable.clear()
        self._next = self._retired

    def retire(self, position: Position) -> None:
        """Note that the broker has everything before this position, and delete whole segments before it.

        Raises OSError if the disk refuses. It is retired all the same, but the next process may publish it again.
        """
        is_in_later_segment = position.segment > self._retired.segment
        self._retired = position
        if is_in_later_segment:
            self._set_aside_before(position.segment)
        try:
            self._file.write(position)
        finally:
            if is_in_later_segment:
                self._delete_before(position.segment)

    def retire_all(self) -> None:
        """Note that the broker has everything that was read. Raises OSError as `retire` does."""
        if self._next != self._retired:
            self.retire(self._next)

    def refuse(self, spooled: Spooled) -> Path:
        """Copy a record into a file of its own, and return its path. Raises OSError."""
        return self._folder.keep_refused(f"{spooled.next.segment}-{spooled.next.offset}", encode(spooled.record))

    def close(self) -> None:
        """Close the files."""
        self._close_reader()
        self._file.close()

    def _segments_to_read(self, end: Position | None) -> list[int]:
        if end is not None and end.segment == self._next.segment:
            return [end.segment] if end.offset > self._next.offset else []
        return [each for each in segment_numbers(self._folder.path) if each >= self._next.segment]

    def _read_open(self, number: int, limit: int) -> Iterator[Spooled]:
        try:
            yield from self._read_segment(number, limit)
        except DamagedRecord:
            self._begin_segment()

    def _read_closed(self, number: int) -> Iterator[Spooled]:
        try:
            yield from self._read_segment(number, None)
            self._opened(number).require_end()
        except DamagedRecord:
            self._unreadable.add(number)
        self._go_to(number + 1)

    def _read_segment(self, number: int, limit: int | None) -> Iterator[Spooled]:
        for stored in self._opened(number).read(limit):
            self._next = Position(number, stored.end)
            yield Spooled(stored.record, self._next)

    def _opened(self, number: int) -> SegmentReader:
        if self._reader is None:
            self._reader = SegmentReader(segment_path(self._folder.path, number), self._next.offset)
        return self._reader

    def _go_to(self, number: int) -> None:
        self._close_reader()
        self._next = Position(number)

    def _set_aside_before(self, number: int) -> None:
        for each in sorted(each for each in self._unreadable if each < number):
            self.damaged.append(self._folder.set_aside(segment_path(self._folder.path, each)))
            self._unreadable.discard(each)

    def _delete_before(self, number: int) -> None:
        for each in segment_numbers(self._folder.path):
            if each < number and each not in self._unreadable:
                segment_path(self._folder.path, each).unlink(missing_ok=True)

    def _close_reader(self) -> None:
        if self._reader:
            self._reader.close()
            self._reader = None


def size_bytes(spool: Path) -> int:
    """Return the size of the segments of all processes on disk; others may delete some meanwhile."""
    return sum(map(_size_bytes, spool.glob("*/*.segment*")))


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
