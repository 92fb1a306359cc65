"""The environment of the ports' tests: a Kafka, real or in memory, and its adapters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.ports import AssignmentChange, ConsumerRecord, LogReader, TransactionalConsumer
from tests.support.patience import Deadline

GROUP = "group"
SLICE_SECONDS = 0.1
DONE_SECONDS = 30.0


class OpenTransaction(Protocol):
    """An open transaction of another producer, with one record in it."""

    def commit(self) -> None: ...

    def abort(self) -> None: ...


class Environment(Protocol):
    """A Kafka with topics and a group that no other test uses."""

    def create_topic(self, partitions: int = 2, *, max_message_bytes: int | None = None) -> str: ...

    def recreate_topic(self, topic: str) -> None:
        """Delete the topic and create it again."""

    def open_stream(self, topic: str, instance: str = "one") -> TransactionalConsumer: ...

    def open_reader(self, topic: str) -> LogReader: ...

    def publish(self, topic: str, partition: int, *values: str) -> None:
        """Produce outside any transaction."""

    def leave_open(self, topic: str, partition: int, value: str) -> OpenTransaction:
        """Produce in a transaction that stays open."""

    def expire_member(self, stream: TransactionalConsumer) -> None:
        """Let the session of a member expire that no longer polls."""

    def committed_values(self, topic: str) -> dict[int, list[str]]:
        """Return the committed values of all partitions, up to the first open transaction."""

    def close(self) -> None: ...


@dataclass
class Poller:
    """Polls a stream as the loop does, and keeps its records and assignment changes."""

    stream: TransactionalConsumer

    def __post_init__(self) -> None:
        self.records: list[ConsumerRecord] = []
        self.assigned: set[int] = set()
        self.changes: list[AssignmentChange] = []

    def turn(self, limit: int = 1_000) -> Sequence[ConsumerRecord]:
        records = self.stream.consume(limit, SLICE_SECONDS)
        change = self.stream.poll_assignment()
        if change.revoked or change.assigned:
            self.changes.append(change)
        self.assigned = (self.assigned - change.revoked) | change.assigned
        self.records += records
        return records

    def resume_assigned(self) -> None:
        """Seek to the committed offsets and resume."""
        self.stream.seek_to_committed(sorted(self.assigned))
        self.stream.resume(sorted(self.assigned))

    def values(self, partition: int) -> list[str]:
        return [text(record) for record in self.records if record.partition() == partition]


def text(record: ConsumerRecord) -> str:
    return str(record.value().decode())


def poll_until(done: Callable[[], bool], *pollers: Poller) -> None:
    """Poll the pollers in turn until `done`."""
    deadline = Deadline(DONE_SECONDS)
    while not done():
        assert not deadline.has_passed, "timed out"
        for poller in pollers:
            poller.turn()


def turn_idly(poller: Poller, times: int = 8) -> None:
    """Poll for a while without expecting records."""
    for _ in range(times):
        poller.turn()


def assigned(environment: Environment, topic: str, partitions: int = 2, instance: str = "one") -> Poller:
    """Return a poller with a producer and all partitions, paused."""
    poller = Poller(environment.open_stream(topic, instance))
    poller.stream.reinit_producer()
    poll_until(lambda: poller.assigned == set(range(partitions)), poller)
    return poller


def read_until(reader: LogReader, count: int) -> list[ConsumerRecord]:
    """Read that many records."""
    records: list[ConsumerRecord] = []
    deadline = Deadline(DONE_SECONDS)
    while len(records) < count:
        assert not deadline.has_passed, f"{len(records)} of {count} records came"
        records += reader.poll(1_000, SLICE_SECONDS)
    return records


def read_to(reader: LogReader, partition: int, position: int) -> list[ConsumerRecord]:
    """Read until the position is reached."""
    records: list[ConsumerRecord] = []
    deadline = Deadline(DONE_SECONDS)
    while reader.positions[partition] < position:
        assert not deadline.has_passed, f"the position stays at {reader.positions[partition]}"
        records += reader.poll(1_000, SLICE_SECONDS)
    return records
