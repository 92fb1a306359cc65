"""The in-memory Kafka under workers in several threads, as in the demo."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.publisher import FakePublisher
from runtime.fake_kafka.topic_reader import read_topic
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from runtime.ports import ConsumerRecord, RetriableError, TransactionAborted
from tests.turned_clock import TurnedClock

PARTITIONS = 4
CLICKS_EACH = 1_500


def test_concurrent_workers_and_publishers_are_exactly_once() -> None:
    cluster = FakeCluster(TurnedClock())
    for topic in ("clicks", "updates"):
        cluster.create_topic(topic, PARTITIONS)
    run_at_once(
        *(lambda name=name: publish(cluster, name) for name in ("a", "b")),
        *(lambda name=name: work(cluster, name) for name in ("one", "two")),
    )
    published = sorted((record.partition(), record.value()) for record in read_topic(cluster, "clicks"))
    assert len(published) == 2 * CLICKS_EACH
    assert sorted((record.partition(), record.value()) for record in read_topic(cluster, "updates")) == published


def publish(cluster: FakeCluster, name: str) -> None:
    publisher = FakePublisher(cluster)
    for number in range(CLICKS_EACH):
        publisher.publish("clicks", f"{name}-{number}".encode(), f"key-{number % 50}".encode())
    assert publisher.confirmed == CLICKS_EACH


def work(cluster: FakeCluster, name: str) -> None:
    """Copy clicks to updates in transactions until all are done, by any worker."""
    stream = FakeTransactionalConsumer(cluster, "clicks", group_id="group", transactional_id=name)
    with closing(stream):
        copy_all(stream)


def copy_all(stream: FakeTransactionalConsumer) -> None:
    stream.reinit_producer()
    while not all_are_done(stream):
        records = stream.consume(50, 0)
        begin_with(stream, sorted(stream.poll_assignment().assigned))
        if records:
            copy(stream, records)


def begin_with(stream: FakeTransactionalConsumer, given: Sequence[int]) -> None:
    """Go on from what is committed of these partitions, as soon as the commit of another worker is over."""
    while given:
        with suppress(RetriableError):
            stream.seek_to_committed(given)
            stream.resume(given)
            return


def copy(stream: FakeTransactionalConsumer, records: Sequence[ConsumerRecord]) -> None:
    """Copy these clicks in one transaction; seek back to them if the group rebalances meanwhile."""
    ends = {record.partition() or 0: (record.offset() or 0) + 1 for record in records}
    stream.begin_transaction()
    for record in records:
        stream.produce_batch(record.partition() or 0, [("updates", record.value(), b"key", None)])
    try:
        stream.commit_transaction(ends)
    except TransactionAborted:
        stream.abort_transaction()
        stream.seek_to_committed(sorted(ends))


def all_are_done(stream: FakeTransactionalConsumer) -> bool:
    """Return False too while the other worker is in the middle of a commit: its offsets are in doubt until the end."""
    try:
        return sum(stream.committed().values()) == 2 * CLICKS_EACH
    except RetriableError:
        return False


def run_at_once(*acts: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as failure:  # noqa: BLE001 - raised again by the thread that waits
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for failure in failures:
        raise failure
