"""The checkpoint of a partition: the clicks that its part of the changelog covers.

Every transaction that commits an offset of the clicks writes one, as the last record of the partition's changelog in
that transaction. So checkpoint and committed offset agree as long as neither was lost or changed by hand.
"""

from dataclasses import dataclass, replace
from struct import Struct
from typing import Self

from runtime.errors import Unavailable
from runtime.terminal.text import counted

CHECKPOINT_KEY = b"\x00partitions"
"""Key of the checkpoint in every partition of the changelog."""
REPARTITIONING = 0
"""Replaces the partition count while entries are moved to other partitions: no worker may use them."""
_FORMAT = b"\x03"
"""Format of keys and values of the dedupe state. It grows if entries of an older version would be misread:

none: keys did not tell their partition; 2: a mailing and a flow run of one id shared a scope under `once_per_mailing`.
"""
_FIELDS = Struct(">IQQQ")
_NOWHERE = 2**64 - 1
"""Encoded instead of a missing offset."""
_HEAD_BYTES = len(_FORMAT) + _FIELDS.size


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`partitions` is the partition count that the entries were written for, or REPARTITIONING."""

    partitions: int
    offset: int | None = None
    """The next click to read; None if the group has not started on this partition."""
    lost: int = 0
    """Offsets of clicks that were skipped by decision, over all time."""
    head: int = 0
    """First offset of the changelog, if the operator accepted the loss of the records before it."""
    clicks: str = ""
    """Identity of the clicks topic; empty if it was unknown."""

    def encode(self) -> bytes:
        """Return the value that goes with CHECKPOINT_KEY."""
        offset = _NOWHERE if self.offset is None else self.offset
        return _FORMAT + _FIELDS.pack(self.partitions, offset, self.lost, self.head) + self.clicks.encode()

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """Return the decoded checkpoint. Raises Unavailable if another version of the program wrote it."""
        if value[:1] != _FORMAT or len(value) < _HEAD_BYTES:
            raise Unavailable(
                "The memory in the changelog was written by another version of link-actions and cannot be read by this"
                " one; run the version that wrote it, or choose a new LINK_ACTIONS_GROUP_ID, which begins with an empty"
                " memory and handles again every click that link.clicks.v1 still holds"
            )
        partitions, offset, lost, head = _FIELDS.unpack_from(value, len(_FORMAT))
        return cls(partitions, None if offset == _NOWHERE else offset, lost, head, value[_HEAD_BYTES:].decode())

    def at(self, offset: int) -> bytes:
        """Return the value of the same checkpoint with another offset."""
        return replace(self, offset=offset).encode()


def check_partitions(note: Checkpoint | None, partitions: int) -> None:
    """Raise Unavailable unless the entries were written for this many partitions, or there are none yet."""
    if note is None:
        return
    if note.partitions == REPARTITIONING:
        raise Unavailable(
            "The memory is being moved to other partitions; run link-actions state repartition to its end"
        )
    if note.partitions != partitions:
        raise Unavailable(
            f"The memory in the changelog was kept for {counted(note.partitions, 'partition')} and link.clicks.v1 has"
            f" {partitions}, which would part people from it; end all workers and run link-actions state repartition"
            f" --partitions {partitions}"
        )
