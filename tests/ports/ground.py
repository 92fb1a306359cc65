"""What the tests of the ports stand on: a Kafka, real or not, and the adapters over it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.ports import AssignmentChange, ConsumerRecord, LogReader, TransactionalConsumer
from tests.support.patience import Deadline

GROUP = "group"
SLICE_SECONDS = 0.1
DONE_SECONDS = 30.0


class OpenTransaction(Protocol):
    """A transaction of somebody else, with one record in it."""

    def commit(self) -> None: ...

    def abort(self) -> None: ...


class Ground(Protocol):
    """A Kafka of the test's own: topics and group are no other test's."""

    def create_topic(self, partitions: int = 2, *, max_message_bytes: int | None = None) -> str: ...

    def make_anew(self, topic: str) -> None:
        """Delete the topic and make one of the same name."""

    def open_stream(self, topic: str, instance: str = "one") -> TransactionalConsumer: ...

    def open_reader(self, topic: str) -> LogReader: ...

    def publish(self, topic: str, partition: int, *values: str) -> None:
        """Write outside any transaction."""

    def leave_open(self, topic: str, partition: int, value: str) -> OpenTransaction:
        """Write in a transaction that stays open."""

    def put_out(self, stream: TransactionalConsumer) -> None:
        """Have the group give up a member that does not turn any more."""

    def committed_values(self, topic: str) -> dict[int, list[str]]:
        """Read all partitions as a subscriber does, up to the first open transaction."""

    def close(self) -> None: ...


@dataclass
class Turner:
    """Turns a stream as the loop does, and remembers what came of it."""

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

    def release_given(self) -> None:
        """Go to what is committed, and on from there."""
        self.stream.seek_to_committed(sorted(self.assigned))
        self.stream.resume(sorted(self.assigned))

    def values(self, partition: int) -> list[str]:
        return [text(record) for record in self.records if record.partition() == partition]


def text(record: ConsumerRecord) -> str:
    return str(record.value().decode())


def turn_until(done: Callable[[], bool], *turners: Turner) -> None:
    """Turn all of them, each in turn, until it is done."""
    deadline = Deadline(DONE_SECONDS)
    while not done():
        assert not deadline.has_passed, "what was waited for never came"
        for turner in turners:
            turner.turn()


def turn_idly(turner: Turner, times: int = 8) -> None:
    """Turn a while to see that nothing comes."""
    for _ in range(times):
        turner.turn()


def assigned(ground: Ground, topic: str, partitions: int = 2, instance: str = "one") -> Turner:
    """Return a stream that has all partitions, held, and a producer."""
    turner = Turner(ground.open_stream(topic, instance))
    turner.stream.reinit_producer()
    turn_until(lambda: turner.assigned == set(range(partitions)), turner)
    return turner


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
