"""A drain while the edge keeps publishing to wrong partitions."""

from consumer.decision.decision import Decision
from consumer.loop.batch import Batch, PartitionBatch
from consumer.loop.drain import Drain
from runtime.fake_kafka.cluster import Draft, FakeCluster
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from tests.turned_clock import TurnedClock

CLICKS = "clicks"


def rerouted(offset: int) -> Batch:
    record = FakeRecord((CLICKS, 0), offset, key=None, value=b"", headers=(), timestamp=0)
    return Batch([PartitionBatch(0, [record], Decision(rerouted=[(0, b"key", 1)]))])


def test_constant_misrouted_clicks_do_not_prevent_the_end() -> None:
    cluster = FakeCluster(TurnedClock())
    cluster.create_topic(CLICKS, 2)
    cluster.append(CLICKS, 0, Draft(None, b""))
    stream = FakeTransactionalConsumer(cluster, CLICKS, group_id="g", transactional_id="t")
    stream.reinit_producer()
    drain = Drain(stream)
    for offset in range(10):
        cluster.append(CLICKS, 1, Draft(None, b"the copy"))
        cluster.append(CLICKS, 0, Draft(None, b"one more in the wrong place"))
        stream.begin_transaction()
        stream.commit_transaction({0: offset + 1, 1: offset})
        drain.record_committed(rerouted(offset))
        if drain.is_done({0: offset + 1, 1: offset}):
            break
    else:
        raise AssertionError("it would go on for ever")
