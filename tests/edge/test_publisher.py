import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from edge.publisher import Failure, OutgoingRecord, ProducerFailed, Publisher
from edge.publishing_thread import PublishingThread
from edge.spool.folder import LockedFolder, make_folder
from edge.spool.position import PositionFile
from edge.spool.reader import SpoolReader
from edge.spool.record import SpooledTopic, records_in
from edge.spool.segment import segment_path
from edge.spool.spool import Spool
from edge.takeover import publish_abandoned
from tests.edge.spooled import read_spool
from tests.edge.test_spool import LIMIT, SEGMENT, a_record, damage, numbers
from tests.support.patience import stretched

TOPICS = {SpooledTopic.CLICKS: "link.clicks.v1", SpooledTopic.FORMS: "link.forms.v1"}


class Broker:
    """Takes records of several partitions, acknowledges them in any order, and fails when told to."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.taken: list[int] = []
        self.failing = 0.0
        self.room = 10**9
        self.refused: set[int] = set()

    def open(self) -> "Connection":
        return Connection(self)


class Connection:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._queued: list[tuple[int, int]] = []
        """Index and number of each record on its way."""
        self.failures: list[Failure] = []

    def produce(self, batch: Sequence[OutgoingRecord], start: int) -> int:
        if start == 0:
            self.failures.clear()
        end = min(len(batch), start + self._broker.room - len(self._queued))
        for index in range(start, end):
            topic, _, key, _ = batch[index]
            assert topic == "link.clicks.v1"
            self._queued.append((index, int(key.partition(b"/")[2])))
        return end

    def wait(self, timeout_seconds: float) -> bool:
        assert timeout_seconds < 1
        chance = self._broker.chance
        if self._broker.refused & {number for _, number in self._queued}:  # a broker refuses the whole batch
            self._fail_all("too large", is_final=True)
        for queued in chance.sample(self._queued, k=(len(self._queued) + 1) // 2):
            self._queued.remove(queued)
            index, number = queued
            failed = chance.random() < self._broker.failing
            if not failed or chance.random() < 0.5:  # half of what failed has arrived nevertheless
                self._broker.taken.append(number)
            if failed:
                self.failures.append(Failure(index, "time-out", is_final=False))
        self.failures.sort()
        return not self._queued

    def _fail_all(self, reason: str, *, is_final: bool) -> None:
        self.failures.extend(Failure(index, reason, is_final) for index, _ in self._queued)
        self._queued.clear()

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
            publisher.run_once(spool.end)
            if publisher.is_done:
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
    assert read_spool(SpoolReader(folder), spool.end) == []


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
    assert not publisher.is_done

    left = numbers(read_spool(SpoolReader(folder), spool.end))

    assert set(range(100)) - set(left) <= set(broker.taken)
    assert left == list(range(left[0], 100))


def test_producer_reports_its_errors_while_nothing_is_sent(folder: LockedFolder) -> None:
    broker, spool = Broker(1), filled(folder, 1)
    waits: list[float] = []

    class Watched(Connection):
        def wait(self, timeout_seconds: float) -> bool:
            waits.append(timeout_seconds)
            return super().wait(timeout_seconds)

    publisher = Publisher(SpoolReader(folder), lambda: Watched(broker), TOPICS)
    publish_all(publisher, spool)
    waits.clear()
    publisher.run_once(spool.end)
    assert waits == [0.0]


def test_oldest_record_stays_known_while_deliveries_fail(folder: LockedFolder) -> None:
    broker, spool = Broker(1), filled(folder, 3)
    broker.failing = 1.0
    publisher = Publisher(SpoolReader(folder), broker.open, TOPICS)
    assert publisher.oldest_ms is None
    for _ in range(5):
        with suppress(ProducerFailed):
            publisher.run_once(spool.end)
        assert publisher.oldest_ms == a_record(0).timestamp_ms
    broker.failing = 0.0
    publish_all(publisher, spool)
    assert publisher.oldest_ms is None


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


def test_refused_record_is_kept_in_a_file_and_blocks_no_other(folder: LockedFolder) -> None:
    broker, spool = Broker(1), filled(folder, 50)
    broker.refused = {0, 17, 49}
    publisher = Publisher(SpoolReader(folder), broker.open, TOPICS)

    publish_all(publisher, spool)

    assert set(broker.taken) == set(range(50)) - broker.refused
    files = sorted(folder.path.glob("*.refused"), key=lambda path: path.stat().st_mtime_ns)
    assert [record for path in files for record, _ in records_in(path.read_bytes())] == [
        a_record(number) for number in sorted(broker.refused)
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    folder.remove_if_done()
    assert files[0].exists()


def test_refused_record_waits_until_it_can_be_kept(folder: LockedFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    broker, spool = Broker(1), filled(folder, 3)
    broker.refused = {1}

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LockedFolder, "keep_refused", fail)
    publisher = Publisher(SpoolReader(folder), broker.open, TOPICS)
    for _ in range(100):
        with suppress(ProducerFailed, OSError):
            publisher.run_once(spool.end)
    assert broker.taken == [0]
    monkeypatch.undo()

    publish_all(publisher, spool)

    assert sorted(broker.taken) == [0, 2]
    assert len([*folder.path.glob("*.refused")]) == 1


def test_position_that_cannot_be_written_repeats_nothing(folder: LockedFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    broker, spool = Broker(1), filled(folder, 200)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    publisher = Publisher(SpoolReader(folder), broker.open, TOPICS)
    monkeypatch.setattr(PositionFile, "write", fail)
    for _ in range(300):
        with suppress(OSError):
            publisher.run_once(spool.end)

    assert sorted(broker.taken) == list(range(200))
    assert len([*folder.path.glob("*.segment")]) == 1, "what is published makes room on a full disk"


@pytest.mark.parametrize("failing", [0.0, 0.2])
def test_records_before_a_damage_are_published_though_deliveries_fail(folder: LockedFolder, failing: float) -> None:
    broker, spool = Broker(2), filled(folder, 100)
    spool.close()
    damage(segment_path(folder.path, 1), record=10)
    broker.failing = failing

    publish_all(Publisher(SpoolReader(folder), broker.open, TOPICS), spool)

    assert set(range(10)) <= set(broker.taken)
    assert 99 in broker.taken
    assert len([*folder.path.glob("*.damaged")]) == 1


def test_dead_process_loses_nothing_if_its_records_are_not_delivered(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    filled(folder, 5)
    folder.close()

    class NoTopic(Connection):
        def wait(self, timeout_seconds: float) -> bool:
            del timeout_seconds
            self._fail_all("unknown topic", is_final=False)
            return True

    with pytest.raises(ProducerFailed, match="unknown topic"):
        publish_abandoned(tmp_path, lambda: NoTopic(Broker(1)), TOPICS, lambda: False)
    broker = Broker(1)
    assert publish_abandoned(tmp_path, broker.open, TOPICS, lambda: False) == 5
    assert sorted(broker.taken) == list(range(5))
    assert [*tmp_path.iterdir()] == []


def test_round_that_sends_nothing_for_want_of_room_is_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.publisher.MAX_BLOCK", 1)
    folder = make_folder(tmp_path)
    filled(folder, 5)
    folder.close()
    broker = Broker(1)
    assert publish_abandoned(tmp_path, broker.open, TOPICS, lambda: False) == 5
    assert broker.taken == list(range(5))


def test_folder_that_fails_does_not_keep_the_others_back(tmp_path: Path) -> None:
    for _ in range(2):
        folder = make_folder(tmp_path)
        filled(folder, 5)
        folder.close()
    broker = Broker(1)
    opened: list[Connection] = []

    def fail_first() -> Connection:
        opened.append(broker.open())
        if len(opened) == 1:
            raise ProducerFailed("no broker")
        return opened[-1]

    with pytest.raises(ProducerFailed):
        publish_abandoned(tmp_path, fail_first, TOPICS, lambda: False)
    assert sorted(broker.taken) == list(range(5))
    assert len([*tmp_path.iterdir()]) == 1


def test_folder_that_is_kept_opens_no_producer(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    folder.keep_refused("1-1", b"")
    folder.close()
    assert publish_abandoned(tmp_path, lambda: pytest.fail("it was opened"), TOPICS, lambda: False) == 0
    assert folder.path.exists()
