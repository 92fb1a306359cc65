"""The log of one partition: records in order, with the visibility of transactions."""

from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.refusal import Refusal

Writer = int
"""Producer id of a transactional producer, the same in all its epochs."""


class DuplicateSequence(Refusal):
    """The log has these records: the request was repeated."""


class SequenceGap(Refusal):
    """Earlier records of the producer did not arrive."""


@dataclass(frozen=True, slots=True)
class AbortedRange:
    """Offsets of one producer's aborted records: from `first` to its marker."""

    writer: Writer
    first: int
    marker: int


@dataclass(slots=True)
class PartitionLog:
    """Records by offset. Offsets are never reused; as on Kafka, a transaction marker takes one."""

    start: int = 0
    """First offset that is not deleted."""
    aborted: list[AbortedRange] = field(default_factory=list)
    _entries: list[tuple[FakeRecord | None, Writer | None]] = field(default_factory=list)
    _open: dict[Writer, int] = field(default_factory=dict)
    _expected: dict[Writer, tuple[int, int]] = field(default_factory=dict)
    """Expected epoch and sequence number by producer."""

    @property
    def end(self) -> int:
        """The offset of the next record, open transactions included (the high watermark)."""
        return len(self._entries)

    @property
    def stable_end(self) -> int:
        """The end for committed readers (last stable offset): the start of the first open transaction, or the end."""
        return min(self._open.values(), default=self.end)

    def expect(self, writer: Writer, epoch: int, sequence: int, count: int) -> None:
        """Check and advance the producer's sequence number by `count`. Raises DuplicateSequence or SequenceGap."""
        known_epoch, expected = self._expected.get(writer, (epoch, 0))
        if known_epoch != epoch:
            expected = 0
        if sequence < expected:
            raise DuplicateSequence
        if sequence > expected:
            raise SequenceGap(f"sequence {sequence} arrived, {expected} was expected")
        self._expected[writer] = epoch, sequence + count

    def append(self, make: Callable[[int], FakeRecord], writer: Writer | None) -> int:
        """Append the record that `make` creates for its offset, in the transaction of `writer`; return the offset."""
        offset = self.end
        if writer is not None:
            self._open.setdefault(writer, offset)
        self._entries.append((make(offset), writer))
        return offset

    def mark(self, writer: Writer, *, committed: bool) -> None:
        """Append the marker that commits or aborts the writer's transaction."""
        first = self._open.pop(writer, None)
        if first is not None and not committed:
            self.aborted.append(AbortedRange(writer, first, self.end))
        self._entries.append((None, writer))

    def compact(self) -> int:
        """Drop committed records with a newer one of the same key, and aborted ones; return their number.

        Offsets do not change. Tombstones stay: they are kept for a day, longer than any test.
        """
        newest: dict[bytes | None, int] = {}
        records, _ = self.read_committed(self.start, self.end)
        for record in records:
            newest[record.key()] = record.offset()
        kept, dropped = set(newest.values()), 0
        for offset in range(self.start, self.stable_end):
            entry, writer = self._entries[offset]
            if entry is not None and offset not in kept:
                self._entries[offset] = None, writer
                dropped += 1
        return dropped

    def delete_before(self, offset: int) -> None:
        """Delete the oldest records, as retention does."""
        self.start = max(self.start, min(offset, self.end))

    def has(self, position: int) -> bool:
        """Return whether the position is in range; readers that do not ask are reset to the first offset."""
        return self.start <= position <= self.end

    def read_committed(self, position: int, limit: int) -> tuple[list[FakeRecord], int]:
        """Return up to `limit` committed records from the position on, and the position after them.

        The position passes markers and aborted records, so at the end it is the stable end.
        """
        return self._read(position, limit, self.stable_end, self.aborted)

    def read_uncommitted(self, position: int, limit: int) -> tuple[list[FakeRecord], int]:
        """Return up to `limit` records, also of open and aborted transactions, and the position after them."""
        return self._read(position, limit, self.end, [])

    def _read(self, position: int, limit: int, end: int, hidden: list[AbortedRange]) -> tuple[list[FakeRecord], int]:
        position = position if self.has(position) else self.start
        spans = [each for each in hidden if each.marker > position]
        records: list[FakeRecord] = []
        while position < end and len(records) < limit:
            record, writer = self._entries[position]
            if record is not None and not any(
                each.writer == writer and each.first <= position < each.marker for each in spans
            ):
                records.append(record)
            position += 1
        return records, position
