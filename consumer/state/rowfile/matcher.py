"""What is done with all entries of a batch at once: finding their rows, and having the index follow what is written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from consumer.state.rowfile.encoding import Block
from consumer.state.rowfile.index import HashIndex
from consumer.state.rowfile.row_files import RowFiles


class Matcher(Protocol):
    """Matches the entries of a batch with the rows of one partition."""

    def look_up(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, in order; None where there is none."""

    def encode(self, entries: Mapping[bytes, bytes | None]) -> Block:
        """Return the rows of the entries, in their order; a value of None makes a row that deletes."""

    def link(self, block: Block) -> int:
        """Note in each entry's row which one it replaces; return how many rows more live when the block is written."""

    def enter(self, block: Block, first: int) -> None:
        """Have the index lead to the rows of a linked block, now written; `first` is the number of its first row.

        The index must have room for all of them.
        """


OpenMatcher = Callable[[HashIndex, RowFiles], Matcher]
"""Makes the matcher of one partition, of its index and its files."""
