"""Isolates poison pills: records that crash the process, or that the broker refuses.

A marker on disk lets each restart after a crash retry a smaller batch. A record that kills the process leaves no time
to report it, and comes again after the restart. So the worker writes a marker before it decides a batch and clears it
afterwards. A worker that finds the marker of its predecessor handles those records in pieces, each with its own marker.
A record that was alone in its piece when the process crashed twice becomes a dead letter without being decided. A kill
from outside hardly ever hits the same single record twice.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import structlog

from runtime.errors import LinkActionsError, Unavailable
from runtime.ports import ConsumerRecord, RetriableError, TransactionAborted
from runtime.stream.batching import BatchSizer
from runtime.stream.marker_file import MarkerFile
from runtime.stream.pending import PendingBatch
from schemas.bad_record import BadRecord, Reason

_LOG = structlog.get_logger(__name__)

PIECES = 200
"""Number of pieces that a suspected batch is cut into: they take some seconds at most, and even in a batch of 64,000
every record is alone after the second cut, before a supervisor calls the restarts a crash loop."""
MAX_CRASHES = 2
"""Crashes on one record alone before it is dead-lettered."""

_HEADER = struct.Struct("<4sIHH")
_RANGE = struct.Struct("<IQQ")
_MAGIC = b"LAW1"

Ranges = Mapping[int, tuple[int, int]]
PartitionRecords = Mapping[int, Sequence[ConsumerRecord]]
ForceDeadLetter = Callable[[int, int, BadRecord], bool]
"""Dead-letters a record regardless of its content: partition, offset, reason. Returns False if asked before."""


@dataclass(frozen=True, slots=True)
class InFlightMarker:
    """Offset range of the records being decided, by partition; its end is exclusive."""

    ranges: Ranges = field(default_factory=dict)
    crashes: int = 0
    """Crashes so far on exactly these ranges, if they are one record."""

    @property
    def size(self) -> int:
        """Upper bound of the number of records."""
        return sum(end - first for first, end in self.ranges.values())

    def encode(self) -> bytes:
        """Return magic, checksum, number of ranges, crashes, and the ranges."""
        ranges = b"".join(_RANGE.pack(partition, *offsets) for partition, offsets in self.ranges.items())
        counts = struct.pack("<HH", len(self.ranges), min(self.crashes, 0xFFFF))
        return _MAGIC + struct.pack("<I", zlib.crc32(counts + ranges)) + counts + ranges

    @classmethod
    def decode(cls, text: bytes) -> Self:
        """Return the marker at the beginning of the text; an empty one if none is complete."""
        if len(text) < _HEADER.size:
            return cls()
        magic, checksum, number, crashes = _HEADER.unpack_from(text)
        end = _HEADER.size + number * _RANGE.size
        if magic != _MAGIC or len(text) < end or zlib.crc32(text[_HEADER.size - 4 : end]) != checksum:
            return cls()
        ranges = {p: (first, last) for p, first, last in _RANGE.iter_unpack(text[_HEADER.size : end])}
        return cls(ranges, crashes)


IDLE = InFlightMarker().encode()
"""The marker of a worker that is not deciding."""


class PoisonPillGuard:
    """Writes markers, and acts on the one that the previous process left."""

    def __init__(self, file: MarkerFile, force_dead_letter: ForceDeadLetter) -> None:
        self._file = file
        found = InFlightMarker.decode(file.read())
        self._suspected = dict(found.ranges)
        self._piece = max(found.size // PIECES, 1)
        self._alone: Ranges = found.ranges if found.size == 1 else {}
        self._crashes = found.crashes + 1
        if found.ranges:
            _LOG.warning("crash.detected", ranges={str(p): list(each) for p, each in found.ranges.items()})
        if self._alone and self._crashes >= MAX_CRASHES:
            self._give_up_on_record(force_dead_letter)

    def pieces(self, records: PartitionRecords) -> Iterator[PartitionRecords]:
        """Yield suspected records piece by piece, then the rest of the batch; the whole batch if none is suspected."""
        rest = dict(records)
        for partition in sorted(self._suspected.keys() & records.keys()):
            mine, end = records[partition], self._suspected[partition][1]
            inside = sum((record.offset() or 0) < end for record in mine)
            for first in range(0, inside, self._piece):
                yield {partition: mine[first : min(first + self._piece, inside)]}
            rest[partition] = mine[inside:]
            if (mine[-1].offset() or 0) >= end - 1:
                del self._suspected[partition]
        left = {partition: mine for partition, mine in rest.items() if mine}
        if left:
            yield left

    @contextmanager
    def deciding(self, records: PartitionRecords) -> Iterator[None]:
        """Mark these records as being decided within the block.

        The marker stays if the process dies in the block or leaves it by an unexpected error. Raises RetriableError.
        """
        ranges = {p: (mine[0].offset() or 0, (mine[-1].offset() or 0) + 1) for p, mine in records.items()}
        self._file.write(InFlightMarker(ranges, self._crashes if ranges == self._alone else 0).encode())
        try:
            yield
        except (TransactionAborted, RetriableError, LinkActionsError):
            self._file.write(IDLE)
            raise
        self._file.write(IDLE)

    def _give_up_on_record(self, force_dead_letter: ForceDeadLetter) -> None:
        ((partition, (offset, _)),) = self._alone.items()
        detail = f"the process died {self._crashes} times while it decided this record alone"
        force_dead_letter(partition, offset, BadRecord(Reason.PROCESS_CRASH, detail))
        _LOG.error("poison_pill.found", partition=partition, offset=offset, crashes=self._crashes)


def isolate_refused(batch: PendingBatch, error: TransactionAborted, sizer: BatchSizer, force: ForceDeadLetter) -> None:
    """Halve a batch that the broker refuses; dead-letter a record that is alone in it.

    Raises Unavailable if the broker refuses the dead letter, too.
    """
    if batch.size > 1:
        sizer.shrink(batch.size)
        return
    ((partition, next_offset),) = batch.offsets.items()
    if not force(partition, next_offset - 1, BadRecord(Reason.REJECTED_BY_BROKER, str(error))):
        raise Unavailable(
            f"Even the dead letter of offset {next_offset - 1} of partition {partition} is refused ({error});"
            " raise max.message.bytes of the dead letter topic"
        )
