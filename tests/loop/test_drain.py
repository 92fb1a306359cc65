"""When a drain is done."""

from collections.abc import Mapping

from consumer.decision.decision import Decision
from consumer.loop.batch import Batch, PartitionBatch
from consumer.loop.drain import Drain
from runtime.fake_kafka.cluster import Draft, FakeCluster
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from tests.turned_clock import TurnedClock

CLICKS = "clicks"


class Two:
    """A topic of two partitions, and a consumer that commits given offsets."""

    def __init__(self, *records: int) -> None:
        self.cluster = FakeCluster(TurnedClock())
        self.cluster.create_topic(CLICKS, 2)
        self.publish(*records)
        self.stream = FakeTransactionalConsumer(self.cluster, CLICKS, group_id="g", transactional_id="t")
        self.stream.reinit_producer()

    def publish(self, *partitions: int) -> None:
        for partition in partitions:
            self.cluster.append(CLICKS, partition, Draft(None, b""))

    def commit(self, offsets: Mapping[int, int]) -> None:
        self.stream.begin_transaction()
        self.stream.commit_transaction(offsets)


def rerouted(partition: int, offset: int, *, to: int) -> Batch:
    record = FakeRecord((CLICKS, partition), offset, key=None, value=b"", headers=(), timestamp=0)
    return Batch([PartitionBatch(partition, [record], Decision(rerouted=[(0, b"key", to)]))])


def test_empty_topic_is_done() -> None:
    assert Drain(Two().stream).is_done({})


def test_done_once_everything_is_committed() -> None:
    two = Two(0, 0, 1)
    drain = Drain(two.stream)
    assert not drain.is_done({})
    two.commit({0: 2})
    assert not drain.is_done({0: 2})
    two.commit({1: 1})
    assert drain.is_done({0: 2, 1: 1})


def test_offsets_of_other_workers_count() -> None:
    two = Two(0, 1)
    drain = Drain(two.stream)
    two.commit({0: 1, 1: 1})
    assert drain.is_done({0: 1})


def test_later_records_do_not_count() -> None:
    two = Two(0, 1)
    drain = Drain(two.stream)
    two.publish(0, 0, 1)
    two.commit({0: 1, 1: 1})
    assert drain.is_done({0: 1, 1: 1})


def test_rerouted_click_is_done_with_its_copy() -> None:
    two = Two(0)
    drain = Drain(two.stream)
    two.publish(1)
    two.commit({0: 1})
    drain.record_committed(rerouted(0, 0, to=1))
    assert not drain.is_done({0: 1})
    two.commit({1: 1})
    assert drain.is_done({0: 1, 1: 1})


def test_later_rerouted_click_does_not_count() -> None:
    two = Two(0)
    drain = Drain(two.stream)
    two.publish(0, 1)
    two.commit({0: 2})
    drain.record_committed(rerouted(0, 1, to=1))
    assert drain.is_done({0: 2})
