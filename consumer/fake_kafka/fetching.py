"""What one fetch of a consumer brings."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from consumer.fake_kafka.partition_log import PartitionLog
from consumer.fake_kafka.record import FakeRecord
from consumer.fake_kafka.refusal import Refusal


class OffsetOutOfRange(Refusal):
    """The log has no such offset: what was there is deleted, or never was."""


@dataclass(slots=True)
class Fetched:
    """Records, the positions after them, and the ends that were met."""

    records: list[FakeRecord] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
    ends_met: dict[int, int] = field(default_factory=dict)

    def take(self, partition: int, log: PartitionLog, limit: int) -> None:
        """Read on in one partition. Raises OffsetOutOfRange (`auto.offset.reset=error`)."""
        position = self.positions[partition]
        if not log.has(position):
            raise OffsetOutOfRange(f"partition {partition} has offsets {log.start} to {log.end}, and not {position}")
        records, position = log.read_committed(self.positions[partition], limit)
        self.records += records
        self.positions[partition] = position
        if position == log.stable_end:
            self.ends_met[partition] = position


def fetch(logs: Sequence[PartitionLog], places: Sequence[tuple[int, int]], limit: int) -> Fetched:
    """Take equal shares of the partitions, from their positions on, while there is something to take."""
    fetched = Fetched(positions=dict(places))
    while len(fetched.records) < limit:
        before = len(fetched.records)
        share = max((limit - before) // len(places), 1)
        for partition, _ in places:
            fetched.take(partition, logs[partition], min(share, limit - len(fetched.records)))
        if len(fetched.records) == before:
            break
    return fetched
