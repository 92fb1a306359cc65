"""A fetch of one consumer: records from its partitions in turn."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from runtime.fake_kafka.partition_log import PartitionLog
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.refusal import Refusal


class OffsetOutOfRange(Refusal):
    """The log has no such offset: its record was deleted, or never existed."""


@dataclass(slots=True)
class Fetched:
    """Fetched records, the positions after them, and the end offsets that were reached."""

    records: list[FakeRecord] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
    eof_offsets: dict[int, int] = field(default_factory=dict)

    def take(self, partition: int, log: PartitionLog, limit: int) -> None:
        """Read from the position of one partition. Raises OffsetOutOfRange (`auto.offset.reset=error`)."""
        position = self.positions[partition]
        if not log.has(position):
            raise OffsetOutOfRange(f"partition {partition} has offsets {log.start} to {log.end}, not {position}")
        records, position = log.read_committed(self.positions[partition], limit)
        self.records += records
        self.positions[partition] = position
        if position == log.stable_end:
            self.eof_offsets[partition] = position


def fetch(logs: Sequence[PartitionLog], positions: Sequence[tuple[int, int]], limit: int) -> Fetched:
    """Read equal shares of the partitions from their positions until `limit` records or the ends are reached."""
    fetched = Fetched(positions=dict(positions))
    while len(fetched.records) < limit:
        before = len(fetched.records)
        share = max((limit - before) // len(positions), 1)
        for partition, _ in positions:
            fetched.take(partition, logs[partition], min(share, limit - len(fetched.records)))
        if len(fetched.records) == before:
            break
    return fetched
