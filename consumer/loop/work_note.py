"""What a worker notes before it decides a batch, for the one that comes after it if it dies of that."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

_FRAME = struct.Struct("<4sIHH")
_RANGE = struct.Struct("<IQQ")
_MARK = b"LAW1"


@dataclass(frozen=True, slots=True)
class InFlightMarker:
    """Offsets that are being decided: per partition the first one, and the one after the last.

    `deaths` tells how often the process has died over exactly this, where it is one record.
    """

    ranges: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    deaths: int = 0

    @property
    def size(self) -> int:
        """How many records there can be."""
        return sum(end - first for first, end in self.ranges.values())

    def encode(self) -> bytes:
        """Return the bytes: a mark, a checksum, two counts, and the ranges."""
        ranges = b"".join(_RANGE.pack(partition, *offsets) for partition, offsets in self.ranges.items())
        counts = struct.pack("<HH", len(self.ranges), min(self.deaths, 0xFFFF))
        return _MARK + struct.pack("<I", zlib.crc32(counts + ranges)) + counts + ranges


def read_note(text: bytes) -> InFlightMarker:
    """Return the note at the beginning of the text; one that says nothing where there is none that is whole."""
    if len(text) < _FRAME.size:
        return InFlightMarker()
    mark, checksum, number, deaths = _FRAME.unpack_from(text)
    end = _FRAME.size + number * _RANGE.size
    if mark != _MARK or len(text) < end or zlib.crc32(text[_FRAME.size - 4 : end]) != checksum:
        return InFlightMarker()
    ranges = {p: (first, last) for p, first, last in _RANGE.iter_unpack(text[_FRAME.size : end])}
    return InFlightMarker(ranges, deaths)


NOTHING = InFlightMarker().encode()
"""The note of a worker that decides nothing now."""
