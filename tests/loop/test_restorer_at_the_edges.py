"""Restoring many partitions at once."""

from consumer.loop.restore import Restorer
from consumer.memory_kafka.cluster import MemoryCluster
from consumer.memory_kafka.log_reader import MemoryLogReader
from consumer.state.memory import MemoryPartitionStore, MemoryState
from tests.turned_clock import TurnedClock

SECONDS_TO_OPEN = 8
PARTITIONS = 12


class SlowState(MemoryState):
    """Opening a store that remembers millions takes seconds."""

    def __init__(self, clock: TurnedClock) -> None:
        super().__init__()
        self._clock = clock

    def open(self, partition: int, changelog: str) -> MemoryPartitionStore:
        self._clock.sleep(SECONDS_TO_OPEN)
        return super().open(partition, changelog)


def test_no_step_opens_so_many_stores_that_the_group_takes_the_worker_for_dead() -> None:
    cluster = MemoryCluster(TurnedClock())
    clock = TurnedClock()
    cluster.create_topic("changelog", PARTITIONS)
    restorer = Restorer(MemoryLogReader(cluster, "changelog"), SlowState(clock), PARTITIONS, monotonic=clock.monotonic)
    for partition in range(PARTITIONS):
        restorer.begin(partition)
    while restorer.restoring:
        before = clock.monotonic()
        restorer.step(0.1)
        assert clock.monotonic() - before < 2 * SECONDS_TO_OPEN
