"""The index in memory: from the hash of a key to the numbers of the rows that may have it.

Buckets of 16 slots, in two tables: the hashes, a cache line a bucket, and the row numbers. The table grows by linear
hashing: buckets are split as batches come, so no batch waits for a full rehash. The hash
decides which half of a bucket an entry goes to, so growing reads no file. Entries of a full bucket overflow into a
dict. 23 bytes a key.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from runtime.state.rowfile.row import Hashes, Mask, Numbers

SLOTS = 16
KEYS_PER_BUCKET = 6
"""Average load. A bucket due for a split has up to twice that; then one key in 500 finds it full."""
BUCKET_BYTES = SLOTS * 8 + 1
Require = Callable[[int], None]
"""Called before allocating this many bytes; raises to refuse."""
_FIRST_LEVEL = 4
_RESERVE, _RESERVE_SHARE = 32_768, 32
"""Growth of the tables in buckets, or as a share of the existing ones; unused buckets take memory too."""
_SPLIT_AT_ONCE = 256
"""Extra buckets per growth: splitting a few at each small batch would cost as much as this many now and then."""


class HashIndex:
    """Row numbers by hash; a hash may have several. Row numbers are unique and never 0."""

    def __init__(self, expected: int = 0, *, require: Require) -> None:
        """Make an empty index, with room for the expected number of keys."""
        self._require = require
        self.size = 0
        self.level = _FIRST_LEVEL
        while KEYS_PER_BUCKET << self.level + 1 <= expected:
            self.level += 1
        self.buckets = 1 << self.level
        require(self.buckets * BUCKET_BYTES)
        self.hashes = np.zeros((self.buckets, SLOTS), dtype=np.uint32)
        self.rows = np.zeros((self.buckets, SLOTS), dtype=np.uint32)
        self.filled = np.zeros(self.buckets, dtype=np.uint8)
        self.overflow: dict[int, dict[int, int]] = {}
        """Entries of full buckets: row number and hash."""
        self.make_room(expected)

    @property
    def memory_bytes(self) -> int:
        """Size of the tables in bytes."""
        return len(self.filled) * BUCKET_BYTES

    def candidates(self, hashes: Hashes) -> tuple[Numbers, Numbers]:
        """Return the rows that have one of the hashes: the position of the hash in the input, and the row number."""
        buckets = self._bucket_of(hashes)
        same = np.flatnonzero(self.hashes.take(buckets, axis=0) == hashes[:, np.newaxis])
        indices = same // SLOTS
        rows = self.rows.reshape(-1).take(buckets[indices] * SLOTS + same % SLOTS).astype(np.int64)
        if not rows.all():  # the hash 0 matches empty slots
            indices, rows = indices[rows != 0], rows[rows != 0]
        if self.overflow:
            indices, rows = self._with_overflow(hashes, buckets, indices, rows)
        return indices, rows

    def has(self, hashes: Hashes, rows: Numbers) -> Mask:
        """Return which of these rows are in the index."""
        return self._find(hashes, rows)[1]

    def insert(self, hashes: Hashes, rows: Numbers) -> None:
        """Add rows that are not in the index."""
        self.make_room(len(rows))
        self._place(hashes, rows)
        self.size += len(rows)

    def replace(self, hashes: Hashes, old: Numbers, new: Numbers) -> None:
        """Replace the old row numbers by the new ones."""
        slots, found = self._find(hashes, old)
        in_table = slots >= 0
        self.rows.reshape(-1)[slots[in_table]] = new[in_table]
        for index in np.flatnonzero(found & ~in_table).tolist():
            overflow = self.overflow[int(self._bucket_of(hashes[index : index + 1])[0])]
            overflow[int(new[index])] = overflow.pop(int(old[index]))

    def remove(self, hashes: Hashes, rows: Numbers) -> None:
        """Remove rows that are in the index."""
        slots, _ = self._find(hashes, rows)
        for index in np.flatnonzero(slots < 0).tolist():
            bucket = int(self._bucket_of(hashes[index : index + 1])[0])
            del self.overflow[bucket][int(rows[index])]
        slots = slots[slots >= 0]
        self.rows.reshape(-1)[slots] = 0
        buckets = np.array(sorted(set((slots // SLOTS).tolist())), dtype=np.int64)
        left = self.rows[buckets]
        self._rewrite(buckets, self.hashes[buckets], left, left != 0)
        self._place_overflow(buckets.tolist())
        self.size -= len(rows)

    def _bucket_of(self, hashes: Hashes) -> Numbers:
        buckets = (hashes & np.uint32((2 << self.level) - 1)).astype(np.int64)
        return np.where(buckets < self.buckets, buckets, buckets & ((1 << self.level) - 1))

    def _with_overflow(
        self, hashes: Hashes, buckets: Numbers, indices: Numbers, rows: Numbers
    ) -> tuple[Numbers, Numbers]:
        more = [
            (index, row)
            for index in np.flatnonzero(self.filled.take(buckets) == SLOTS).tolist()
            for row, hash_ in self.overflow.get(int(buckets[index]), {}).items()
            if hash_ == hashes[index]
        ]
        if not more:
            return indices, rows
        added = np.array(more, dtype=np.int64)
        return np.concatenate([indices, added[:, 0]]), np.concatenate([rows, added[:, 1]])

    def _find(self, hashes: Hashes, rows: Numbers) -> tuple[Numbers, Mask]:
        """Return the slot of each row in the table, -1 if it has none, and whether it is in the index at all."""
        buckets = self._bucket_of(hashes)
        same = self.rows.take(buckets, axis=0) == rows.astype(np.uint32)[:, np.newaxis]
        slot = same.argmax(axis=1)
        found = same.reshape(-1).take(np.arange(len(rows)) * SLOTS + slot)
        slots = np.where(found, buckets * SLOTS + slot, -1)
        if self.overflow:
            for index in np.flatnonzero(~found & (self.filled.take(buckets) == SLOTS)).tolist():
                found[index] = int(rows[index]) in self.overflow.get(int(buckets[index]), ())
        return slots, found

    def _place(self, hashes: Hashes, rows: Numbers) -> None:
        """Insert rows into their buckets. If several want one slot, the last wins and the others try the next."""
        flat_hashes, flat_rows = self.hashes.reshape(-1), self.rows.reshape(-1)
        buckets, numbers = self._bucket_of(hashes), rows.astype(np.uint32)
        while len(numbers):
            filled = self.filled.take(buckets)
            if filled.max() == SLOTS:
                full = filled == SLOTS
                self._add_overflow(buckets[full], hashes[full], numbers[full])
                buckets, hashes, numbers, filled = buckets[~full], hashes[~full], numbers[~full], filled[~full]
            slots = buckets * SLOTS + filled
            flat_rows[slots] = numbers
            lost = flat_rows.take(slots) != numbers
            won = ~lost
            flat_hashes[slots[won]] = hashes[won]
            self.filled[buckets[won]] += 1
            buckets, hashes, numbers = buckets[lost], hashes[lost], numbers[lost]

    def _add_overflow(self, buckets: Numbers, hashes: Hashes, rows: NDArray[np.uint32]) -> None:
        for bucket, hash_, row in zip(buckets.tolist(), hashes.tolist(), rows.tolist(), strict=True):
            self.overflow.setdefault(bucket, {})[row] = hash_

    def make_room(self, added: int) -> None:
        """Grow for this many more rows. If memory is refused, this raises and loses no entry."""
        wanted = (self.size + added) // KEYS_PER_BUCKET
        if self.buckets < wanted:
            wanted += _SPLIT_AT_ONCE
        while self.buckets < wanted:
            start = self.buckets - (1 << self.level)
            count = min(wanted - self.buckets, (1 << self.level) - start)
            self._reserve(self.buckets + count)
            self._split(start, count)

    def _reserve(self, buckets: int) -> None:
        """Enlarge the tables in place, in steps, because new memory is zeroed at once."""
        if buckets > len(self.filled):
            buckets = max(buckets, len(self.filled) + min(len(self.filled) // _RESERVE_SHARE, _RESERVE))
            self._require((buckets - len(self.filled)) * BUCKET_BYTES)
            self.hashes.resize((buckets, SLOTS), refcheck=False)
            self.rows.resize((buckets, SLOTS), refcheck=False)
            self.filled.resize(buckets, refcheck=False)

    def _split(self, start: int, count: int) -> None:
        """Split `count` buckets into as many new ones; the last ones finish the level."""
        old, new = slice(start, start + count), slice(self.buckets, self.buckets + count)
        hashes, rows = self.hashes[old], self.rows[old]
        goes = (hashes >> np.uint32(self.level)) & np.uint32(1) == 1
        is_used = rows != 0
        self._rewrite(new, hashes, rows, is_used & goes)
        self._rewrite(old, hashes, rows, is_used & ~goes)
        self.buckets += count
        if self.buckets == 2 << self.level:
            self.level += 1
        self._place_overflow(range(start, start + count))

    def _place_overflow(self, buckets: Iterable[int]) -> None:
        """Move overflow entries into buckets that have room now."""
        for bucket in buckets if self.overflow else ():
            if overflow := self.overflow.pop(bucket, None):
                self._place(np.fromiter(overflow.values(), dtype=np.uint32), np.fromiter(overflow, dtype=np.int64))

    def _rewrite(
        self, buckets: slice | Numbers, hashes: NDArray[np.uint32], rows: NDArray[np.uint32], kept: Mask
    ) -> None:
        """Write the kept entries to the buckets, without gaps."""
        filled = kept.sum(axis=1)
        chosen = np.flatnonzero(kept)
        ranks = np.arange(len(chosen)) - np.repeat(np.cumsum(filled) - filled, filled)
        slots = chosen // SLOTS * SLOTS + ranks
        for table, values in ((self.hashes, hashes), (self.rows, rows)):
            packed = np.zeros_like(values)
            packed.reshape(-1)[slots] = values.reshape(-1)[chosen]
            table[buckets] = packed
        self.filled[buckets] = filled
