"""The records of a spool, one by one."""

from typing import NamedTuple

from edge.spool.position import Position
from edge.spool.reader import SpoolReader
from edge.spool.record import SpooledRecord


class Spooled(NamedTuple):
    """A record, and the position that follows it."""

    record: SpooledRecord
    next: Position


def read_spool(reader: SpoolReader, end: Position | None = None) -> list[Spooled]:
    """Return what the reader has not read yet, up to `end`."""
    return [
        Spooled(record, block.next_after(place))
        for block in reader.read(end)
        for place, record in enumerate(block.records)
    ]
