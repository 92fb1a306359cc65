"""Restoring many partitions at once, and large ones."""

from collections.abc import Generator

import pytest

from consumer.loop.changelog_restore import ChangelogRestorer
from runtime.fake_kafka.cluster import Draft, FakeCluster
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.ports import RetriableError
from runtime.state.in_memory import MemoryPartitionStore, MemoryState
from runtime.state.store import PartitionStore
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedReader
from tests.turned_clock import TurnedClock

STEPS_TO_OPEN = 8
PARTITIONS = 12
STEP_SECONDS = 0.1


class SlowState(MemoryState):
    """A state whose stores take a while to open, in steps."""

    def __init__(self, clock: TurnedClock) -> None:
        super().__init__()
        self._clock = clock
        self.steps: list[int] = []
        self.given_up: list[int] = []

    def open_in_steps(self, partition: int, changelog: str) -> Generator[None, None, MemoryPartitionStore]:
        try:
            for _ in range(STEPS_TO_OPEN):
                self._clock.sleep(STEP_SECONDS)
                self.steps.append(partition)
                yield
        except GeneratorExit:
            self.given_up.append(partition)
            raise
        return self.open(partition, changelog)


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster(TurnedClock())
    cluster.create_topic("changelog", PARTITIONS)
    return cluster


def test_opening_large_stores_is_spread_over_steps(cluster: FakeCluster) -> None:
    clock = TurnedClock()
    state = SlowState(clock)
    restorer = ChangelogRestorer(FakeLogReader(cluster, "changelog"), state, monotonic=clock.monotonic)
    for partition in range(PARTITIONS):
        restorer.start(partition)
    while restorer.restoring:
        before = clock.monotonic()
        restorer.step(STEP_SECONDS)
        assert clock.monotonic() - before < 3 * STEP_SECONDS
    assert sorted(state.steps) == sorted([*range(PARTITIONS)] * STEPS_TO_OPEN), "a store was opened anew"


def test_revoked_partition_stops_opening(cluster: FakeCluster) -> None:
    clock = TurnedClock()
    state = SlowState(clock)
    restorer = ChangelogRestorer(FakeLogReader(cluster, "changelog"), state, monotonic=clock.monotonic)
    restorer.start(3)
    restorer.step(STEP_SECONDS)

    restorer.release(3)

    assert state.given_up == [3]
    assert restorer.restoring == []


def test_no_answer_keeps_opened_stores(cluster: FakeCluster) -> None:
    clock = TurnedClock()
    cluster.append("changelog", 0, Draft(b"a", b"1"))
    silent = Happening(before=raising(RetriableError("silence")))
    reader = ScriptedReader(cluster, "changelog", Script.at_every("reader.watermarks", silent, times=1))
    restorer = ChangelogRestorer(reader, SlowState(clock), monotonic=clock.monotonic)
    restorer.start(0)
    told, complete = 0, dict[int, PartitionStore]()
    while restorer.restoring:
        try:
            complete |= restorer.step(STEP_SECONDS)[0]
        except RetriableError:
            told += 1

    assert told == 1
    assert complete[0].get_many([b"a"]) == [b"1"]
