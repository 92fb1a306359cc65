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

none: keys had no partition; 2: a mailing and a flow run of one id shared a scope under `once_per_mailing`.
"""
_FIELDS = Struct(">IQQQ")
_NOWHERE = 2**64 - 1
"""Encoded instead of a missing offset."""
_HEADER_BYTES = len(_FORMAT) + _FIELDS.size


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`partitions` is the partition count that the entries were written for, or REPARTITIONING."""

    partitions: int
    offset: int | None = None
    """The next click to read; None if the group has not started on this partition."""
    skipped: int = 0
    """Offsets of clicks that operators chose to skip, over all time."""
    changelog_start: int = 0
    """First offset of the changelog, if an operator accepted the loss of the records before it; else 0."""
    clicks_topic_id: str = ""
    """Identity of the clicks topic; empty if it was unknown."""

    def encode(self) -> bytes:
        """Return the value that goes with CHECKPOINT_KEY."""
        offset = _NOWHERE if self.offset is None else self.offset
        fields = _FIELDS.pack(self.partitions, offset, self.skipped, self.changelog_start)
        return _FORMAT + fields + self.clicks_topic_id.encode()

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """Return the decoded checkpoint. Raises Unavailable if another version of the program wrote it."""
        if value[:1] != _FORMAT or len(value) < _HEADER_BYTES:
            raise Unavailable(
                "The dedupe state in the changelog was written by another version of link-actions and cannot be read by"
                " this one; run the version that wrote it, or choose a new LINK_ACTIONS_GROUP_ID, which starts with an"
                " empty dedupe state and processes again every click that link.clicks.v1 still holds"
            )
        partitions, offset, skipped, start = _FIELDS.unpack_from(value, len(_FORMAT))
        clicks = value[_HEADER_BYTES:].decode()
        return cls(partitions, None if offset == _NOWHERE else offset, skipped, start, clicks)

    def at(self, offset: int) -> bytes:
        """Return the value of the same checkpoint with another offset."""
        return replace(self, offset=offset).encode()


def check_partitions(checkpoint: Checkpoint | None, partitions: int) -> None:
    """Raise Unavailable unless the entries were written for this many partitions, or there are none yet."""
    if checkpoint is None:
        return
    if checkpoint.partitions == REPARTITIONING:
        raise Unavailable(
            "The dedupe state is being moved to other partitions; run link-actions state repartition to its end"
        )
    if checkpoint.partitions != partitions:
        raise Unavailable(
            f"The dedupe state in the changelog was written for {counted(checkpoint.partitions, 'partition')}, but"
            f" link.clicks.v1 has {partitions}, which would separate recipients from it; stop all workers and run"
            f" link-actions state repartition --partitions {partitions}"
        )
