"""The fate of a click when disk, broker or neither takes it."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from edge.direct_publisher import DirectPublisher, OnDelivery
from edge.exchange import Answer, AnswerKind, RecordedClick
from edge.publisher import ProducerFailed
from edge.rate_limit import RateLimit
from edge.recorder import Recorder, Recording
from edge.spool.record import SpooledRecord
from edge.spool.spool import Spool, SpoolFull
from edge.sync_thread import SyncThread
from tests.edge.test_publisher import TOPICS, Broker
from tests.edge.test_spool import a_record
from tests.support.patience import stretched
from tests.support.waiting import wait_until

ANSWER = Answer(AnswerKind.REDIRECT, 302, ())
UNRECORDED = Answer(AnswerKind.NOT_RECORDED, 503, ())


class Disk(Spool):
    """A spool that takes records, or refuses them."""

    def __init__(self, refusal: str | None = None) -> None:
        self.refusal = refusal
        self.kept: list[SpooledRecord] = []

    def prepare(self) -> None:
        if self.refusal:
            raise SpoolFull(self.refusal)

    def append(self, *records: SpooledRecord) -> None:
        self.prepare()
        self.kept += records


def a_click(token: str) -> RecordedClick:
    return RecordedClick("id", token, (a_record(1),), unrecorded=lambda: UNRECORDED)


def recorder_on(
    disk: Disk,
    broker: Broker,
    refusals: list[str | None],
    *,
    synced: "Callable[[], asyncio.Future[bool]] | None" = None,
) -> Recorder:
    direct = DirectPublisher(lambda: Producer(broker), TOPICS)
    return Recorder(disk, direct, RateLimit(lambda: 0, limit=2), refusals.append, synced=synced)


class Producer:
    """Acknowledges nothing while the broker has no room."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._queued: list[tuple[SpooledRecord, OnDelivery]] = []

    def produce(self, topic: str, record: SpooledRecord, on_delivery: OnDelivery) -> bool:
        assert topic == "link.clicks.v1"
        if self._broker.failing >= 1:
            raise ProducerFailed("fatal")
        self._queued.append((record, on_delivery))
        return True

    def poll(self) -> None:
        while self._queued and self._broker.room:
            record, on_delivery = self._queued.pop(0)
            self._broker.taken.append(int(record.key.partition(b"/")[2]))
            on_delivery(True)


@pytest.fixture
def broker() -> Broker:
    return Broker(seed=1)


def record(recorder: Recorder, *tokens: str) -> list[Recording]:
    async def all_of_them() -> list[Recording]:
        recordings = [recorder(a_click(token)) for token in tokens or ("t",)]
        return [each if isinstance(each, Recording) else await each for each in recordings]

    return asyncio.run(all_of_them())


def test_disk_takes_the_click(broker: Broker) -> None:
    disk, refusals = Disk(), list[str | None]()
    assert record(recorder_on(disk, broker, refusals)) == [Recording.RECORDED]
    assert (disk.kept, broker.taken, refusals) == ([a_record(1)], [], [])


def test_broker_takes_what_the_disk_refuses(broker: Broker) -> None:
    disk, refusals = Disk("full"), list[str | None]()
    recorder = recorder_on(disk, broker, refusals)
    assert record(recorder) == [Recording.RECORDED]
    assert broker.taken == [1]
    disk.refusal = None
    assert record(recorder) == [Recording.RECORDED]
    assert refusals == ["full", None]


def test_recovery_is_noticed_without_a_click(broker: Broker) -> None:
    """A load balancer sends none to an edge that is not ready."""
    disk, refusals = Disk("full"), list[str | None]()
    recorder = recorder_on(disk, broker, refusals)
    record(recorder)
    recorder.probe()
    assert refusals == ["full"]
    disk.refusal = None
    recorder.probe()
    assert refusals == ["full", None]


@pytest.mark.parametrize("failing", [0, 1])
def test_nothing_takes_the_click(broker: Broker, failing: int) -> None:
    broker.room, broker.failing = 0, failing
    assert record(recorder_on(Disk("full"), broker, [])) == [Recording.UNRECORDED]


def test_rate_limited_token_is_not_kept(broker: Broker) -> None:
    disk = Disk()
    recordings = record(recorder_on(disk, broker, []), "a", "a", "a", "b")
    assert recordings == [Recording.RECORDED, Recording.RECORDED, Recording.RATE_LIMITED, Recording.RECORDED]
    assert len(disk.kept) == 3


def test_answer_waits_for_the_sync(broker: Broker) -> None:
    synced: list[int] = []
    disk = Disk()
    thread = SyncThread(lambda: synced.append(len(disk.kept)))
    thread.start()
    recorder = Recorder(
        disk,
        DirectPublisher(lambda: Producer(broker), TOPICS),
        RateLimit(lambda: 0),
        lambda _refusal: None,
        synced=thread.synced,
    )
    assert record(recorder) == [Recording.RECORDED]
    assert 1 in synced
    thread.stop()


def test_failed_sync_is_told_from_a_lost_click(broker: Broker) -> None:
    def refuse() -> None:
        raise SpoolFull("no sync")

    thread = SyncThread(refuse)
    thread.start()
    refusals: list[str | None] = []
    recorder = Recorder(
        Disk(),
        DirectPublisher(lambda: Producer(broker), TOPICS),
        RateLimit(lambda: 0),
        refusals.append,
        synced=thread.synced,
    )
    assert record(recorder) == [Recording.UNSYNCED]
    assert refusals == ["the disk of the spool does not sync"]
    thread.stop()


def test_syncs_without_being_asked() -> None:
    synced: list[None] = []
    thread = SyncThread(lambda: synced.append(None))
    thread.start()
    wait_until(lambda: len(synced) > 1, "two syncs")
    thread.stop()


def test_stop_syncs_what_was_appended_while_the_last_round_synced() -> None:
    appended, begun, may_go_on = [0], threading.Event(), threading.Event()
    synced: list[int] = []

    def sync() -> None:
        synced.append(appended[0])
        begun.set()
        may_go_on.wait(stretched(10))

    thread = SyncThread(sync)
    thread.start()
    assert begun.wait(stretched(10))
    appended[0] = 1
    stopping = threading.Thread(target=thread.stop)
    stopping.start()
    wait_until(lambda: thread._is_stopping, "call of stop")
    may_go_on.set()
    stopping.join()
    assert synced[-1] == 1


def test_future_of_an_ended_loop_does_not_end_the_thread() -> None:
    async def wait_for_nothing(thread: SyncThread) -> None:
        thread.synced()

    synced: list[None] = []
    thread = SyncThread(lambda: synced.append(None))
    asyncio.run(wait_for_nothing(thread))
    thread.start()
    wait_until(lambda: len(synced) > 1, "a second sync")
    thread.stop()
