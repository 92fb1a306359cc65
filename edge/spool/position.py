"""How far the broker has acknowledged a folder's records: everything before this position may be deleted."""

import os
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import NamedTuple
from zlib import crc32

FILE = "position"
_FIELDS = Struct("<QQ")
_CHECKSUM = Struct("<I")


class Position(NamedTuple):
    """The next record to publish: the number of its segment, and its offset there."""

    segment: int = 0
    offset: int = 0


class PositionFile:
    """Keeps one position. A file that is missing, empty or damaged counts as the beginning: records come twice then."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # it has its place on the disk before that is full
            self.write(self.read())

    def read(self) -> Position:
        """Return the position that was written last."""
        return _decode(os.pread(self._file, _FIELDS.size + _CHECKSUM.size, 0))

    def write(self, position: Position) -> None:
        """Write it, in one call. Raises OSError."""
        fields = _FIELDS.pack(position.segment, position.offset)
        os.pwrite(self._file, fields + _CHECKSUM.pack(_sum(fields)), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_position(folder: Path) -> Position:
    """Return the position of a folder that another process may use. Raises OSError."""
    try:
        return _decode((folder / FILE).read_bytes())
    except FileNotFoundError:
        return Position()


def _decode(raw: bytes) -> Position:
    if len(raw) < _FIELDS.size + _CHECKSUM.size or _CHECKSUM.unpack_from(raw, _FIELDS.size)[0] != _sum(raw):
        return Position()
    return Position(*_FIELDS.unpack_from(raw))


def _sum(raw: bytes) -> int:
    return crc32(raw[: _FIELDS.size])
