"""The one or two files of a partition as one space of row numbers.

There are two during compaction of the older one. Generations alternate in the highest bit of a row
number, so a row number identifies its file.
"""

import re
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np

from runtime.state.rowfile.row import ROW_WORDS, Numbers, Rows
from runtime.state.rowfile.segment import Segment
from runtime.state.rowfile.segment_header import ALL, DamagedFile

_NAME = "rows-{}"
_NAMES = re.compile(r"rows-(\d{1,9})")
_GENERATION_BIT = 31
_ROW_MASK = (1 << _GENERATION_BIT) - 1


class RowFiles:
    """The file that is written, and the older one that is being compacted, if any."""

    def __init__(self, newest: Segment, older: Segment | None = None) -> None:
        self.newest = newest
        self.older = older
        self._retired: Segment | None = None

    @classmethod
    def create(cls, folder: Path, changelog: str) -> "RowFiles":
        """Create an empty file; replaces all files in the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in _paths(folder).values():
            path.unlink()
        return cls(Segment.create(folder / _NAME.format(1), changelog))

    @classmethod
    def load(cls, folder: Path, changelog: str) -> "Generator[None, None, RowFiles | None]":
        """Open the files in the folder, step by step, up to the first damage; None if nothing is valid.

        An older file alone is as valid as both: it is the state before the newer one was started, or an earlier one if
        its end has been deleted already.
        """
        paths = _paths(folder)
        generation = max(paths, default=0)
        newest = yield from _load(paths.get(generation), changelog)
        is_whole = newest is not None and newest.last_batch.compacted_rows == ALL
        older = None if is_whole else (yield from _load(paths.get(generation - 1), changelog))
        files = _valid(newest, older)
        kept = [segment.path for segment in files.all] if files else []
        for segment in (newest, older):
            if segment and segment.path not in kept:
                segment.close()
        for path in paths.values():
            if path not in kept:
                path.unlink()
        return files

    @property
    def all(self) -> Iterator[Segment]:
        """The files, the older one first."""
        if self.older is not None:
            yield self.older
        yield self.newest

    def number(self, segment: Segment, row: int) -> int:
        """Return the number, unique over both files, of a row of one file."""
        return row | (segment.generation & 1) << _GENERATION_BIT

    def numbers(self, segment: Segment, rows: Numbers) -> Numbers:
        """Return the numbers, unique over both files, of rows of one file."""
        return rows | (segment.generation & 1) << _GENERATION_BIT

    def rows_in(self, segment: Segment, numbers: Numbers) -> Numbers:
        """Return the row numbers within this file of those rows that are in it."""
        mine: Numbers = numbers[numbers >> _GENERATION_BIT == segment.generation & 1] & _ROW_MASK
        return mine

    def take(self, numbers: Numbers) -> Rows:
        """Return copies of rows."""
        if self.older is None:
            return self.newest.take(numbers & _ROW_MASK)
        rows = np.empty((len(numbers), ROW_WORDS), dtype=np.uint64)
        is_newest = numbers >> _GENERATION_BIT == self.newest.generation & 1
        rows[is_newest] = self.newest.take(numbers[is_newest] & _ROW_MASK)
        rows[~is_newest] = self.older.take(numbers[~is_newest] & _ROW_MASK)
        return rows

    def following(self, number: int, count: int) -> bytes:
        """Return the bytes of some rows."""
        return self.take(np.arange(number, number + count)).tobytes()

    def release_pages(self) -> None:
        """Release the mapped pages: the files then take only page cache, which the kernel can reclaim."""
        for segment in self.all:
            segment.release_pages()

    def start_segment(self, changelog: str) -> None:
        """Start a file; the current one becomes the older one."""
        if self._retired is not None:
            self._retired.discard()
            self._retired = None
        path = self.newest.path.with_name(_NAME.format(self.newest.generation + 1))
        self.newest, self.older = Segment.create(path, changelog, after=self.newest), self.newest

    def drop_older(self) -> None:
        """Retire the older file, which is then deleted in steps."""
        self._retired, self.older = self.older, None

    def delete_some(self, size: int) -> None:
        """Truncate the retired file by up to `size` bytes, or delete it if no more are left."""
        if self._retired is not None and self._retired.discard_some(size):
            self._retired = None

    def close(self) -> None:
        """Close the files."""
        if self._retired is not None:
            self._retired.discard()
        for segment in self.all:
            segment.close()


def _valid(newest: Segment | None, older: Segment | None) -> RowFiles | None:
    if newest and newest.last_batch.compacted_rows == ALL:
        return RowFiles(newest)
    if not older or older.last_batch.compacted_rows != ALL:
        return None
    return RowFiles(newest, older) if newest and newest.follows(older) else RowFiles(older)


def _paths(folder: Path) -> dict[int, Path]:
    if not folder.is_dir():
        return {}
    return {int(match[1]): path for path in folder.iterdir() if (match := _NAMES.fullmatch(path.name))}


def _load(path: Path | None, changelog: str) -> Generator[None, None, Segment | None]:
    try:
        return (yield from Segment.load(path, changelog)) if path else None
    except DamagedFile:
        return None
