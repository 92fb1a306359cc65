"""The contents of a spool, for people: what is left in it, whose it is, and what is damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.spool.files import paths_in
from edge.spool.folder import DAMAGED, REFUSED, folder_paths, is_in_use
from edge.spool.position import read_position
from edge.spool.record import DamagedRecord
from edge.spool.segment import SegmentReader, segment_numbers, segment_path


@dataclass(frozen=True, slots=True)
class FolderContents:
    """One folder. `oldest_ms` is when its oldest unpublished record was answered, in milliseconds since 1970 UTC."""

    name: str
    is_in_use: bool
    records: int
    oldest_ms: int | None
    damaged: tuple[str, ...]
    """Names of the files that are damaged or were set aside."""
    refused: tuple[str, ...]
    """Names of the files with a record that the broker never takes."""


def contents_of(spool: Path) -> Iterator[FolderContents]:
    """Yield the folders, the oldest first; a process may publish from them meanwhile. Raises OSError."""
    return map(_contents, folder_paths(spool))


def oldest_ms(spool: Path, *, without: Path) -> int | None:
    """Return when the oldest unpublished record of all folders but one was answered, in milliseconds since 1970 UTC.

    Only the first record of each folder is read. Raises OSError.
    """
    first = [_first_ms(folder) for folder in folder_paths(spool) if folder != without]
    return min((each for each in first if each is not None), default=None)


def _first_ms(folder: Path) -> int | None:
    position = read_position(folder)
    for number in segment_numbers(folder):
        if number >= position.segment:
            offset = position.offset if number == position.segment else 0
            found = _first_of(segment_path(folder, number), offset)
            if found is not None:
                return found
    return None


def _first_of(path: Path, offset: int) -> int | None:
    """Return the time of the record at this offset; None if there is none, or it is damaged."""
    try:
        reader = SegmentReader(path, offset)
    except FileNotFoundError:  # published meanwhile
        return None
    try:
        return next((records[0].timestamp_ms for records, _ in reader.read(count=1)), None)
    except DamagedRecord:
        return None
    finally:
        reader.close()


def _contents(folder: Path) -> FolderContents:
    position, in_use = read_position(folder), is_in_use(folder)
    times: list[int] = []
    damaged = _names(folder, DAMAGED)
    for number in segment_numbers(folder):
        if number >= position.segment:
            path = segment_path(folder, number)
            offset = position.offset if number == position.segment else 0
            if not _read_times(path, offset, times, is_written=in_use):
                damaged.append(path.name)
    refused = tuple(_names(folder, REFUSED))
    return FolderContents(folder.name, in_use, len(times), min(times, default=None), tuple(damaged), refused)


def _names(folder: Path, ending: str) -> list[str]:
    return [path.name for path in paths_in(folder) if path.name.endswith(ending)]


def _read_times(path: Path, offset: int, times: list[int], *, is_written: bool) -> bool:
    """Add the time of each record; return whether the segment can be read to its end."""
    try:
        reader = SegmentReader(path, offset)
    except FileNotFoundError:  # published meanwhile
        return True
    try:
        times.extend(record.timestamp_ms for records, _ in reader.read() for record in records)
        if not is_written:
            reader.require_end()
    except DamagedRecord:
        return False
    finally:
        reader.close()
    return True
