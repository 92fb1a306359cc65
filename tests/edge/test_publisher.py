import random
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.publisher import ProducerFailed, Publisher, PublishingThread
from edge.spool.folder import LockedFolder, make_folder
from edge.spool.record import SpooledTopic
from edge.spool.spool import Spool, Spooled, SpoolReader
from tests.edge.test_spool import LIMIT, SEGMENT, a_record, numbers
from tests.support.patience import stretched

TOPICS = {SpooledTopic.CLICKS: "link.clicks.v1", SpooledTopic.FORMS: "link.forms.v1"}


class Broker:
    """Takes records of several partitions, acknowledges them in any order, and fails when told to."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.taken: list[int] = []
        self.failing = 0.0
        self.room = 10**9

    def open(self) -> "Connection":
        return Connection(self)


class Connection:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._queued: list[tuple[int, Callable[[bool], None]]] = []

    def produce(self, topic: str, record: Spooled, on_delivery: Callable[[bool], None]) -> bool:
        assert topic == "link.clicks.v1"
        if len(self._queued) >= self._broker.room:
            return False
        self._queued.append((numbers([record])[0], on_delivery))
        return True

    def poll(self, timeout_seconds: float) -> None:
        assert timeout_seconds < 1
        chance = self._broker.chance
        for queued in chance.sample(self._queued, k=(len(self._queued) + 1) // 2):
            self._queued.remove(queued)
            number, on_delivery = queued
            failed = chance.random() < self._broker.failing
            if not failed or chance.random() < 0.5:  # half of what failed has arrived nevertheless
                self._broker.taken.append(number)
            on_delivery(not failed)

    def close(self) -> None:
        self._queued.clear()


@pytest.fixture
def folder(tmp_path: Path) -> LockedFolder:
    return make_folder(tmp_path)


def filled(folder: LockedFolder, count: int) -> Spool:
    spool = Spool(folder, limit_bytes=LIMIT, segment_bytes=SEGMENT)
    for number in range(count):
        spool.append(a_record(number))
    return spool


def publish_all(publisher: Publisher, spool: Spool) -> None:
    for _ in range(10_000):
        try:
            if not publisher.run_once(spool.end) and not publisher.unpublished:
                return
        except ProducerFailed:
            continue
    raise AssertionError("it does not come to an end")


@pytest.mark.parametrize("seed", range(5))
def test_everything_is_published_once_by_a_sound_broker(folder: LockedFolder, seed: int) -> None:
    broker, spool = Broker(seed), filled(folder, 500)
    publisher = Publisher(SpoolReader(folder), broker.open, TOPICS)

    publish_all(publisher, spool)

    assert sorted(broker.taken) == list(range(500))
    assert publisher.published == 500
    assert list(SpoolReader(folder).read(spool.end)) == []


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_by_a_broker_that_fails(folder: LockedFolder, seed: int) -> None:
    broker, spool = Broker(seed), filled(folder, 200)
    broker.failing, broker.room = 0.01, 17
    publish_all(Publisher(SpoolReader(folder), broker.open, TOPICS), spool)

    assert set(broker.taken) == set(range(200))


def test_only_an_acknowledgement_retires(folder: LockedFolder) -> None:
    broker, spool = Broker(1), filled(folder, 100)
    publisher = Publisher(SpoolReader(folder), broker.open, TOPICS)
    publisher.run_once(spool.end)
    assert publisher.unpublished

    left = numbers(list(SpoolReader(folder).read(spool.end)))

    assert set(range(100)) - set(left) <= set(broker.taken)
    assert left == list(range(left[0], 100))


def test_a_stopped_thread_publishes_everything_through_failures(folder: LockedFolder) -> None:
    broker, spool = Broker(3), filled(folder, 60)
    broker.failing = 0.01
    failures: list[str] = []
    thread = PublishingThread(Publisher(SpoolReader(folder), broker.open, TOPICS), lambda: spool.end, failures.append)
    thread.start()
    spool.append(a_record(60))

    assert thread.stop(stretched(30))
    assert set(broker.taken) == set(range(61))


def test_a_thread_whose_broker_fails_while_it_stops_goes_on(folder: LockedFolder) -> None:
    broker, spool = Broker(1), filled(folder, 10)
    failures: list[str] = []

    def fail_first() -> Connection:
        if not failures:
            raise ProducerFailed("no broker")
        return broker.open()

    thread = PublishingThread(Publisher(SpoolReader(folder), fail_first, TOPICS), lambda: spool.end, failures.append)
    thread._stop.set()
    thread.start()

    assert thread.stop(stretched(30))
    assert failures == ["no broker"]
    assert set(broker.taken) == set(range(10))
