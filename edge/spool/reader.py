"""Reads the records of one folder for the publisher, and keeps the position up to which the broker has them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edge.spool.folder import LockedFolder
from edge.spool.position import Position, PositionFile
from edge.spool.record import DamagedRecord, SpooledRecord, encode
from edge.spool.segment import MAX_BLOCK, SegmentReader, segment_numbers, segment_path


class Block(NamedTuple):
    """Consecutive records of one segment, and the offsets that follow each."""

    segment: int
    records: Sequence[SpooledRecord]
    ends: Sequence[int]

    def next_after(self, place: int) -> Position:
        """Return the position after a record of the block."""
        return Position(self.segment, self.ends[place])


class SpoolReader:
    """Reads what a folder holds beyond its position, and commits what the broker has."""

    def __init__(self, folder: LockedFolder, roll: Callable[[], None] = lambda: None) -> None:
        """`roll` makes the writer begin a new segment."""
        self._folder = folder
        self._roll_writer = roll
        self._file = PositionFile(folder.path)
        self._committed = self._file.read()
        self._next = self._committed
        self._reader: SegmentReader | None = None
        self._unreadable: set[int] = set()
        self.damaged: list[Path] = []

    def read(self, end: Position | None = None, count: int = MAX_BLOCK) -> Iterator[Block]:
        """Yield the records from where the last call stopped, up to `end`, or to the end of what a dead process left.

        They come in blocks of at most `count`. A block that was yielded is not read again, unless after `rewind`.

        A damaged record ends its segment, which is quarantined and listed in `damaged` once the records before the
        damage are committed. If it is the segment being written, the writer first begins a new one.
        """
        for number in self._segments_to_read(end):
            if number > self._next.segment:
                self._go_to(number)
            if end is not None and number > end.segment:
                return
            if end is not None and number == end.segment:
                yield from self._read_open(number, end.offset, count)
            else:
                yield from self._read_closed(number, count)

    @property
    def committed(self) -> Position:
        """The broker has every record before this position."""
        return self._committed

    def rewind(self) -> None:
        """Read again from the first record that is not committed."""
        self._close_reader()
        self._unreadable.clear()
        self._next = self._committed

    def commit(self, position: Position) -> None:
        """Note that the broker has everything before this position, and delete whole segments before it.

        Raises OSError if the disk refuses. It is committed all the same, but the next process may publish it again.
        """
        is_in_later_segment = position.segment > self._committed.segment
        self._committed = position
        if is_in_later_segment:
            self._quarantine_before(position.segment)
        try:
            self._file.write(position)
        finally:
            if is_in_later_segment:
                self._delete_before(position.segment)

    def commit_all(self) -> None:
        """Note that the broker has everything that was read. Raises OSError as `commit` does."""
        if self._next != self._committed:
            self.commit(self._next)

    def refuse(self, record: SpooledRecord, following: Position) -> Path:
        """Copy a record into a file of its own, and return its path. Raises OSError."""
        return self._folder.keep_refused(f"{following.segment}-{following.offset}", encode(record))

    def close(self) -> None:
        """Close the files."""
        self._close_reader()
        self._file.close()

    def _segments_to_read(self, end: Position | None) -> list[int]:
        if end is not None and end.segment == self._next.segment:
            return [end.segment] if end.offset > self._next.offset else []
        return [each for each in segment_numbers(self._folder.path) if each >= self._next.segment]

    def _read_open(self, number: int, limit: int, count: int) -> Iterator[Block]:
        try:
            yield from self._read_segment(number, limit, count)
        except DamagedRecord:
            self._roll_writer()

    def _read_closed(self, number: int, count: int) -> Iterator[Block]:
        try:
            yield from self._read_segment(number, None, count)
            self._opened(number).require_end()
        except DamagedRecord:
            self._unreadable.add(number)
        self._go_to(number + 1)

    def _read_segment(self, number: int, limit: int | None, count: int) -> Iterator[Block]:
        for records, ends in self._opened(number).read(limit, count):
            self._next = Position(number, ends[-1])
            yield Block(number, records, ends)

    def _opened(self, number: int) -> SegmentReader:
        if self._reader is None:
            self._reader = SegmentReader(segment_path(self._folder.path, number), self._next.offset)
        return self._reader

    def _go_to(self, number: int) -> None:
        self._close_reader()
        self._next = Position(number)

    def _quarantine_before(self, number: int) -> None:
        for each in sorted(each for each in self._unreadable if each < number):
            self.damaged.append(self._folder.quarantine(segment_path(self._folder.path, each)))
            self._unreadable.discard(each)

    def _delete_before(self, number: int) -> None:
        for each in segment_numbers(self._folder.path):
            if each < number and each not in self._unreadable:
                segment_path(self._folder.path, each).unlink(missing_ok=True)

    def _close_reader(self) -> None:
        if self._reader:
            self._reader.close()
            self._reader = None
