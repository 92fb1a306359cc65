"""Matching of whole batches: finds the rows of the entries, and updates the index after a write."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from runtime.state.rowfile.encoding import Block
from runtime.state.rowfile.index import HashIndex
from runtime.state.rowfile.row_files import RowFiles


class Matcher(Protocol):
    """Matches the entries of a batch with the rows of one partition."""

    def look_up(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, in order; None if there is none."""

    def encode(self, entries: Mapping[bytes, bytes | None]) -> Block:
        """Return the rows of the entries, in their order; a value of None makes a tombstone."""

    def mark_replaced(self, block: Block) -> int:
        """Set in each entry's row the number of the row it replaces; return how many live rows the block adds."""

    def insert(self, block: Block, first: int) -> None:
        """Insert the rows of a written block into the index; `first` is the number of its first row.

        Rows that replace others take their place. The index must have room, and `mark_replaced` must have been called.
        """


OpenMatcher = Callable[[HashIndex, RowFiles], Matcher]
"""Makes the matcher of one partition from its index and files."""
