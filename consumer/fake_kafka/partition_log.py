"""One partition: records in their order, and which of them a reader may see."""

from collections.abc import Callable
from dataclasses import dataclass, field

from consumer.fake_kafka.record import FakeRecord
from consumer.fake_kafka.refusal import Refusal

Writer = int
"""Producer id of a transactional producer; it stays the same through all its epochs."""


class DuplicateSequence(Refusal):
    """The records lie here already: it is the same request once more."""


class SequenceGap(Refusal):
    """Records before these never arrived."""


@dataclass(frozen=True, slots=True)
class AbortedRange:
    """Where one writer's records count for nothing: from `first` up to its marker."""

    writer: Writer
    first: int
    marker: int


@dataclass(slots=True)
class PartitionLog:
    """Offsets are given once and never reused; the marker that ends a transaction takes one too, as on Kafka."""

    start: int = 0
    """First offset that is still there."""
    aborted: list[AbortedRange] = field(default_factory=list)
    _entries: list[tuple[FakeRecord | None, Writer | None]] = field(default_factory=list)
    _open: dict[Writer, int] = field(default_factory=dict)
    _expected: dict[Writer, tuple[int, int]] = field(default_factory=dict)
    """Epoch and sequence number of what comes next."""

    @property
    def end(self) -> int:
        """The offset that the next record gets, open transactions included (the high watermark)."""
        return len(self._entries)

    @property
    def stable_end(self) -> int:
        """Where committed readers stop (the last stable offset): the start of the first open transaction or the end."""
        return min(self._open.values(), default=self.end)

    def expect(self, writer: Writer, epoch: int, sequence: int, count: int) -> None:
        """Take in the number of the first of so many records to come. Raises DuplicateSequence, SequenceGap."""
        known_epoch, expected = self._expected.get(writer, (epoch, 0))
        if known_epoch != epoch:
            expected = 0
        if sequence < expected:
            raise DuplicateSequence
        if sequence > expected:
            raise SequenceGap(f"sequence {sequence} came, {expected} was expected")
        self._expected[writer] = epoch, sequence + count

    def append(self, make: Callable[[int], FakeRecord], writer: Writer | None) -> int:
        """Add the record that is made for its offset, outside or inside a transaction, and return that offset."""
        offset = self.end
        if writer is not None:
            self._open.setdefault(writer, offset)
        self._entries.append((make(offset), writer))
        return offset

    def mark(self, writer: Writer, *, committed: bool) -> None:
        """End the writer's transaction: from now on its records are seen, or never by a committed reader."""
        first = self._open.pop(writer, None)
        if first is not None and not committed:
            self.aborted.append(AbortedRange(writer, first, self.end))
        self._entries.append((None, writer))

    def compact(self) -> int:
        """Drop decided records that a later one of the same key replaces, and those that were aborted; return how many.

        Offsets stay as they are. Records without a value stay too: they are kept for a day, longer than any test.
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
        """Forget the oldest records, as retention does."""
        self.start = max(self.start, min(offset, self.end))

    def has(self, position: int) -> bool:
        """Tell whether one may read on from there; readers that do not ask are reset to the first offset."""
        return self.start <= position <= self.end

    def read_committed(self, position: int, limit: int) -> tuple[list[FakeRecord], int]:
        """Return up to `limit` committed records from the position on, and the position after them.

        At the end that is the stable end itself: markers and aborted records before it are stepped over.
        """
        return self._read(position, limit, self.stable_end, self.aborted)

    def read_uncommitted(self, position: int, limit: int) -> tuple[list[FakeRecord], int]:
        """Return up to `limit` records, whatever became of their transaction, and the position after them."""
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
