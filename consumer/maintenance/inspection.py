"""Reads the evidence of every partition's history without restoring it, for `doctor` and `state reconcile`."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from consumer.changelog.checkpoint import CHECKPOINT_KEY, Checkpoint
from consumer.loop.history import Contradiction, Evidence, find_contradiction
from runtime.config.settings import Settings
from runtime.errors import Unavailable
from runtime.kafka.admin.connection import Connection
from runtime.kafka.admin.consumer_group import ConsumerGroup
from runtime.kafka.clients import KafkaClients
from runtime.ports import LogReader, RetriableError
from runtime.records.bulk import split_by_partition
from schemas.topics import TopicNames

PATIENCE_SECONDS = 30.0
"""Longest time without progress in the changelog; an abandoned transaction is aborted sooner."""
_MIN_RECORDS, _GROWTH = 64, 64
"""The checkpoint is the last record of each transaction; more records are read only if the last were aborted."""
_READ_AT_ONCE, _SLICE_SECONDS = 50_000, 0.5

PartitionContradiction = tuple[Contradiction, Evidence]


class Offsets(Protocol):
    """Committed offsets of the group."""

    def committed(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int | None]:
        """Return the committed offset of each partition, None if there is none. Raises Unavailable."""


@dataclass(frozen=True)
class Inspection:
    """`clicks` and `changelog` read the topics of these names, `topic` is that of the clicks."""

    offsets: Offsets
    clicks: LogReader
    changelog: LogReader
    topic: str
    monotonic: Callable[[], float] = time.monotonic

    def look(self, partitions: int) -> Mapping[int, Evidence]:
        """Return the evidence of each partition; workers may keep running. Raises Unavailable."""
        numbers = range(partitions)
        try:
            before = self.offsets.committed(self.topic, numbers)
            bounds = self.changelog.watermarks(numbers)
            checkpoints = self._read_checkpoints(bounds)
            after = self.offsets.committed(self.topic, numbers)
            clicks, topic = self.clicks.watermarks(numbers), self.clicks.topic_id()
        except RetriableError as error:
            raise Unavailable(f"The history cannot be read ({error}); run link-actions doctor") from error
        return {
            p: _settled(
                Evidence(after[p], checkpoints.get(p), *clicks[p], clicks_topic_id=topic, changelog_start=bounds[p][0]),
                before[p],
            )
            for p in numbers
        }

    def _read_checkpoints(self, bounds: Mapping[int, tuple[int, int]]) -> Mapping[int, Checkpoint]:
        """Read the last records of each partition, and more if they have no checkpoint."""
        missing = {p: each for p, each in bounds.items() if each[0] < each[1]}
        checkpoints: dict[int, Checkpoint] = {}
        window = _MIN_RECORDS
        while missing:
            starts = {p: max(first, end - window) for p, (first, end) in missing.items()}
            checkpoints |= self._read_from(starts, {p: end for p, (_, end) in missing.items()})
            missing = {p: each for p, each in missing.items() if p not in checkpoints and starts[p] > each[0]}
            window *= _GROWTH
        return checkpoints

    def _read_from(self, starts: Mapping[int, int], ends: Mapping[int, int]) -> Mapping[int, Checkpoint]:
        checkpoints: dict[int, Checkpoint] = {}
        for partition, start in starts.items():
            self.changelog.assign(partition, start)
        give_up_at = self.monotonic() + PATIENCE_SECONDS
        try:
            while any(self.changelog.positions[p] < end for p, end in ends.items()):
                records = self.changelog.poll(_READ_AT_ONCE, _SLICE_SECONDS)
                for partition, mine in split_by_partition(records).items():
                    values = [record.value() for record in mine if record.key() == CHECKPOINT_KEY]
                    if values and values[-1] is not None:
                        checkpoints[partition] = Checkpoint.decode(values[-1])
                if records:
                    give_up_at = self.monotonic() + PATIENCE_SECONDS
                elif self.monotonic() > give_up_at:
                    raise Unavailable(
                        "The changelog cannot be read to its end because a transaction is open; wait until it has ended"
                        " or abort it with kafka-transactions.sh, then run this again"
                    )
        finally:
            for partition in starts:
                self.changelog.unassign(partition)
        return checkpoints


@contextmanager
def open_inspection(settings: Settings, names: TopicNames) -> Iterator[Inspection]:
    """Open an inspection of the group and topics of these settings. Raises Unavailable."""
    clients = KafkaClients(settings.kafka)
    with (
        closing(clients.open_reader(names.clicks)) as clicks,
        closing(clients.open_reader(names.changelog)) as changelog,
    ):
        yield Inspection(ConsumerGroup(Connection(settings.kafka), settings.group_id), clicks, changelog, names.clicks)


def contradictions(evidence: Mapping[int, Evidence]) -> Mapping[int, PartitionContradiction]:
    """Return the contradictions by partition."""
    found = ((p, find_contradiction(each), each) for p, each in evidence.items())
    return {p: (kind, each) for p, kind, each in found if kind is not None}


def _settled(evidence: Evidence, before: int | None) -> Evidence:
    """Use the checkpoint's offset as the committed one if it was committed while the changelog was read."""
    checkpoint = evidence.checkpoint
    if (
        checkpoint is not None
        and checkpoint.offset is not None
        and (before or 0) <= checkpoint.offset <= (evidence.committed or 0)
    ):
        return replace(evidence, committed=checkpoint.offset)
    return evidence
