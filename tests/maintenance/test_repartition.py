"""Repartitions on the in-memory Kafka: uninterrupted, stopped at any step, and refused if unsafe."""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

from consumer.changelog.checkpoint import CHECKPOINT_KEY, REPARTITIONING, Checkpoint, check_partitions
from consumer.changelog.entries import PLAIN, DedupeEntry, HitCount, encode_entry, encode_hits, partition_of_key
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.history import read_checkpoint
from consumer.maintenance.repartition import Entry, Progress, RepartitionDependencies, Repartitioner
from runtime.errors import Unavailable, UsageError
from runtime.fake_kafka.cluster import Draft, FakeCluster
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.fake_kafka.network import DirectNetwork, Lost, Network
from runtime.fake_kafka.topic_admin import FakeTopicAdmin
from runtime.kafka.admin.topics import TopicState, topic_specs
from runtime.state.in_memory import MemoryPartitionStore, MemoryState
from runtime.state.store import PartitionStore
from schemas.identity import hits_digest, link_digest, partition_of, recipient_digest, scope_digest
from schemas.topics import TopicNames
from tests.turned_clock import TurnedClock

NAMES = TopicNames("", "group", ("set-field",))
OLD, NEW = 3, 7
DONE = 40
"""The offset before which all clicks of each old partition are handled."""
KEYS = [b"acme/r-%d" % number for number in range(400)]
HITS = hits_digest("acme", "spring")
Answer = TypeVar("Answer")


class Stopped(Exception):
    """The tool was killed."""


class NotingState(MemoryState):
    """Notes how often each partition was opened, less how often it was released."""

    def __init__(self) -> None:
        super().__init__()
        self.held: Counter[int] = Counter()
        self.most_held = 0

    def open_in_steps(self, partition: int, changelog: str) -> Generator[None, None, MemoryPartitionStore]:
        self.held[partition] += 1
        self.most_held = max(self.most_held, self.held.total())
        return super().open_in_steps(partition, changelog)

    def release(self, partition: int) -> None:
        self.held[partition] = 0
        super().release(partition)


class CutNetwork(DirectNetwork):
    """Loses every ListOffsets request."""

    def ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        if name == "ListOffsets":
            raise Lost
        return super().ask(name, request)


@dataclass
class FakeEnvironment:
    """An in-memory deployment. `dies_at` is the number of the write before which the tool is killed."""

    cluster: FakeCluster = field(default_factory=lambda: FakeCluster(TurnedClock()))
    members_seen: list[int] = field(default_factory=list)
    left: dict[int, int] = field(default_factory=dict)
    dies_at: int | None = None
    writes: int = 0
    partitions: int = OLD
    told: list[Progress] = field(default_factory=list)
    state: NotingState = field(default_factory=NotingState)
    grown: list[str] = field(default_factory=list)
    without_note: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        FakeTopicAdmin(self.cluster).create_topics(topic_specs(NAMES), partitions=self.partitions, replication_factor=1)
        for partition in range(self.partitions):
            self.write([(partition, CHECKPOINT_KEY, Checkpoint(self.partitions, DONE).encode())])
            self.write([(partition, HITS, encode_hits(HitCount(0, 5, 5)))])
        self.write([(partition_of(key, self.partitions), *entry) for key in KEYS for entry in memory_of(key).items()])
        self.writes = 0

    def members(self) -> int:
        return self.members_seen.pop(0) if self.members_seen else 0

    def lag(self, _topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        return {partition: self.left.get(partition, 0) for partition in partitions}

    def read_topics(self, names: Sequence[str]) -> Mapping[str, TopicState]:
        return FakeTopicAdmin(self.cluster).read_topics(names)

    def grow_topics(self, partitions: Mapping[str, int]) -> None:
        self._step()
        for name, count in partitions.items():
            self.grown.append(name)
            self.cluster.add_partitions(name, count - len(self.cluster.topic(name).logs))

    def write(self, entries: Sequence[Entry]) -> None:
        self._step()
        for partition, key, value in entries:
            self.cluster.append(NAMES.changelog, partition, Draft(key, value))

    def tool(self, partitions: int = NEW, network: Network | None = None, names: TopicNames = NAMES) -> Repartitioner:
        restorer = ChangelogRestorer(FakeLogReader(self.cluster, NAMES.changelog, network), self.state)
        return Repartitioner(
            RepartitionDependencies(names, self, self, restorer, self), partitions, self.told.append, batch_size=50
        )

    def memory(self, partition: int) -> PartitionStore:
        restorer = ChangelogRestorer(FakeLogReader(self.cluster, NAMES.changelog), MemoryState())
        restorer.start(partition)
        return restorer.step(1.0)[0][partition]

    def _step(self) -> None:
        self.writes += 1
        if self.writes == self.dies_at:
            raise Stopped


def memory_of(key: bytes) -> dict[bytes, bytes]:
    """Return the dedupe entries of a recipient: one with a distinct value, and one for a mailing."""
    memory_key = recipient_digest(key) + link_digest("acme", "spring", 0)
    value = encode_entry(DedupeEntry(int(key.rpartition(b"-")[2]), applied=1), PLAIN)
    return {memory_key: value, memory_key + scope_digest(b"m-1"): value}


def assert_moved(environment: FakeEnvironment) -> None:
    """Assert that each entry is in its right partition, unchanged, and nowhere else."""
    for partition in range(NEW):
        is_known = partition < environment.partitions and partition not in environment.without_note
        expected = {CHECKPOINT_KEY: Checkpoint(NEW, DONE if is_known else None).encode()}
        if partition < environment.partitions:
            expected[HITS] = encode_hits(HitCount(0, 5, 5))
        for key in KEYS:
            if partition_of(key, NEW) == partition:
                expected |= memory_of(key)
        assert dict(environment.memory(partition).scan(b"")) == expected
    assert {state.partitions for state in environment.read_topics([NAMES.clicks, NAMES.dead_letters]).values()} == {NEW}


def test_every_entry_moves_to_its_recipients_partition() -> None:
    environment = FakeEnvironment()
    moved = environment.tool().run()

    assert_moved(environment)
    assert moved == 2 * sum(partition_of(key, NEW) != partition_of(key, OLD) for key in KEYS)


def test_one_partition_is_held_at_a_time() -> None:
    """One of them may take gigabytes of page cache."""
    environment = FakeEnvironment()
    environment.tool().run()

    assert environment.state.most_held == 1
    assert environment.state.held.total() == 0


def test_dedupe_key_yields_its_partition_for_any_count() -> None:
    for key in KEYS:
        for partitions in (1, 3, 12, 1000):
            assert {partition_of_key(each, partitions) for each in memory_of(key)} == {partition_of(key, partitions)}
    assert partition_of_key(HITS, 7) is None
    assert partition_of_key(CHECKPOINT_KEY, 7) is None


def steps_of_a_run() -> int:
    environment = FakeEnvironment()
    environment.tool().run()
    return environment.writes


@pytest.mark.parametrize("dies_at", range(1, steps_of_a_run() + 1))
def test_next_run_continues_after_a_stop_at_any_step(dies_at: int) -> None:
    environment = FakeEnvironment()
    environment.dies_at = dies_at
    with pytest.raises(Stopped):
        environment.tool().run()
    if dies_at > 1:
        assert read_checkpoint(environment.memory(0)) == Checkpoint(REPARTITIONING, DONE)
    environment.tool().run()

    assert_moved(environment)


def test_lost_broker_ends_it_with_advice() -> None:
    environment = FakeEnvironment()
    with pytest.raises(Unavailable, match=r"not answered in time.*run the command again"):
        environment.tool(network=CutNetwork(environment.cluster.lock)).run()


def test_second_run_moves_nothing() -> None:
    environment = FakeEnvironment()
    environment.tool().run()
    assert environment.tool().run() == 0
    assert_moved(environment)


def test_dry_run_counts_and_writes_nothing() -> None:
    environment, like = FakeEnvironment(), FakeEnvironment()
    assert environment.tool().dry_run() == like.tool().run()
    assert environment.writes == 0


def with_a_worker(environment: FakeEnvironment) -> None:
    environment.members_seen = [1]


def with_clicks_left(environment: FakeEnvironment) -> None:
    environment.left = {1: 1}


@pytest.mark.parametrize(("hinder", "says"), [(with_a_worker, "running"), (with_clicks_left, "1 in partition 1")])
def test_unsafe_repartition_is_refused_without_a_change(hinder: Callable[[FakeEnvironment], None], says: str) -> None:
    environment = FakeEnvironment()
    hinder(environment)
    with pytest.raises(Unavailable, match=says):
        environment.tool().run()
    assert environment.writes == 0


def test_fewer_partitions_are_refused() -> None:
    with pytest.raises(UsageError, match="removes none"):
        FakeEnvironment().tool(OLD - 1).run()


def test_fewer_partitions_than_any_topic_has_are_refused() -> None:
    environment = FakeEnvironment()
    environment.grow_topics({NAMES.clicks: NEW + 1})
    with pytest.raises(UsageError, match=f"A topic has {NEW + 1} partitions"):
        environment.tool().run()


def test_same_partition_count_moves_nothing() -> None:
    assert FakeEnvironment().tool(OLD).run() == 0


def test_missing_topic_is_named() -> None:
    environment = FakeEnvironment()
    with pytest.raises(Unavailable, match=r"Missing: crm-updates\.interest\.v1; run link-actions doctor"):
        environment.tool(names=replace(NAMES, kinds=("set-field", "interest"))).run()
    assert environment.writes == 0


@pytest.mark.parametrize("dies_at", [None, 3])
def test_interrupted_repartition_of_one_partition_continues(dies_at: int | None) -> None:
    environment = FakeEnvironment(partitions=1)
    environment.dies_at = dies_at
    with suppress(Stopped):
        environment.tool().run()
    environment.tool().run()

    assert_moved(environment)


def test_progress_is_reported_for_each_partition() -> None:
    environment = FakeEnvironment()
    moved = environment.tool().run()

    assert [progress.partition for progress in environment.told] == list(range(NEW))
    assert {progress.partitions for progress in environment.told} == {NEW}
    assert sum(progress.moved for progress in environment.told) == moved
    # At the first one no entry has arrived yet, and at the last one all of them.
    in_first = sum(partition_of(key, OLD) == 0 for key in KEYS)
    assert environment.told[0].entries == 2 * in_first + len([CHECKPOINT_KEY, HITS])
    assert environment.told[-1].entries == len(list(environment.memory(NEW - 1).scan(b"")))


def test_worker_that_joins_meanwhile_keeps_its_state() -> None:
    environment = FakeEnvironment()
    environment.members_seen = [0, 1]
    with pytest.raises(Unavailable, match="running"):
        environment.tool().run()

    assert [read_checkpoint(environment.memory(partition)) for partition in range(OLD)] == [Checkpoint(OLD, DONE)] * OLD


def test_worker_refuses_state_during_a_repartition() -> None:
    environment = FakeEnvironment()
    environment.dies_at = 4
    with pytest.raises(Stopped):
        environment.tool().run()

    with pytest.raises(Unavailable, match="being moved"):
        check_partitions(read_checkpoint(environment.memory(1)), OLD)


@pytest.mark.parametrize("form", [b"", b"\x02"])
def test_state_of_an_earlier_format_is_refused(form: bytes) -> None:
    environment = FakeEnvironment()
    environment.write([(0, CHECKPOINT_KEY, form + OLD.to_bytes(4, "big"))])

    with pytest.raises(Unavailable, match="another version"):
        environment.tool().run()


def test_partitions_added_to_every_topic_are_filled() -> None:
    environment = FakeEnvironment()
    environment.grow_topics(dict.fromkeys((NAMES.clicks, NAMES.changelog, *NAMES.updates.values()), NEW))
    environment.left = {NEW - 1: 10}
    environment.tool().run()

    assert_moved(environment)


@pytest.mark.parametrize("grown", [NAMES.clicks, NAMES.changelog])
def test_partitions_added_by_hand_are_filled(grown: str) -> None:
    environment = FakeEnvironment()
    environment.write([(0, CHECKPOINT_KEY, None)])
    environment.without_note = (0,)
    environment.grow_topics({grown: NEW})
    environment.left = {NEW - 1: 10}
    environment.tool().run()

    assert_moved(environment)


def test_changelog_grows_first_and_clicks_last() -> None:
    """Neither a worker nor an edge may see a clicks partition that the changelog or updates lack."""
    environment = FakeEnvironment()
    environment.tool().run()

    assert environment.grown[0] == NAMES.changelog
    assert environment.grown[-1] == NAMES.clicks
    assert {*environment.grown} == {
        NAMES.changelog,
        NAMES.clicks,
        NAMES.forms,
        NAMES.script_runs,
        NAMES.script_dead_letters,
        NAMES.return_urls,
        NAMES.hits,
        NAMES.dead_letters,
        *NAMES.updates.values(),
    }


def test_topics_have_grown_before_the_last_checkpoint() -> None:
    environment = FakeEnvironment()
    environment.dies_at = steps_of_a_run()  # the checkpoint with the new count, which follows the clicks
    with pytest.raises(Stopped):
        environment.tool().run()

    states = environment.read_topics([spec.name for spec in topic_specs(NAMES) if spec.partitions is None])
    assert {state.partitions for state in states.values()} == {NEW}
    notes = [read_checkpoint(environment.memory(partition)) for partition in range(NEW)]
    assert {note.partitions for note in notes if note} == {REPARTITIONING}
