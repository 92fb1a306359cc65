"""Matching in numpy, the reference implementation: slow for small batches, but needs no C compiler."""

from collections.abc import Mapping, Sequence

import numpy as np

from runtime.state.rowfile.encoding import Block, encode, rows_taken, values_of
from runtime.state.rowfile.index import HashIndex
from runtime.state.rowfile.row import (
    DELETED,
    REPLACES,
    VALUE,
    Numbers,
    Rows,
    are_equal,
    as_bytes,
    as_numbers,
    hash_keys,
    key_part,
    key_rows,
)
from runtime.state.rowfile.row_files import RowFiles


class Matcher:
    """Implements `Matcher`, a few passes over arrays for each step."""

    def __init__(self, index: HashIndex, files: RowFiles) -> None:
        self._index = index
        self._files = files

    def look_up(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, in order; None if there is none."""
        if not keys:
            return []
        indices, numbers, rows = self._find(key_rows(keys))
        found = np.empty(len(indices), dtype=object)
        found[:] = values_of(rows, numbers, self._files.following)
        values = np.full(len(keys), None, dtype=object)
        values[indices] = found
        listed: list[bytes | None] = values.tolist()
        return listed

    def encode(self, entries: Mapping[bytes, bytes | None]) -> Block:
        """Return the rows of the entries, in their order; a value of None makes a tombstone."""
        return encode(entries)

    def mark_replaced(self, block: Block) -> int:
        """Set in each entry's row the number of the row it replaces; return how many live rows the block adds."""
        firsts = block.rows[block.entries]
        indices, numbers, old_rows = self._find(key_part(firsts))
        as_numbers(block.rows)[block.entries[indices], REPLACES] = numbers
        deletions = np.count_nonzero(as_bytes(firsts)[:, VALUE] == DELETED)
        return len(block.rows) - 1 - int(deletions) - rows_taken(old_rows)

    def insert(self, block: Block, first: int) -> None:
        """Insert the rows of a written block into the index; `first` is the number of its first row."""
        rows, numbers = block.rows[block.entries], block.entries + first
        hashes, replaced = hash_keys(key_part(rows)), as_numbers(rows)[:, REPLACES].astype(np.int64)
        is_deletion, is_known = as_bytes(rows)[:, VALUE] == DELETED, replaced != 0
        removed, updated, added = is_deletion & is_known, ~is_deletion & is_known, ~is_deletion & ~is_known
        self._index.replace(hashes[updated], replaced[updated], numbers[updated])
        self._index.insert(hashes[added], numbers[added])
        if removed.any():
            self._index.remove(hashes[removed], replaced[removed])

    def _find(self, wanted: Rows) -> tuple[Numbers, Numbers, Rows]:
        """Return the known keys: position in the input, row number and row."""
        indices, numbers = self._index.candidates(hash_keys(wanted))
        rows = self._files.take(numbers)
        same = are_equal(key_part(rows), wanted[indices])
        if same.all():
            return indices, numbers, rows
        return indices[same], numbers[same], rows[same]
