"""The changelog restorer: what it reads, in which order, and when it is done."""

import pytest

from consumer.loop.changelog_restore import ChangelogRestorer
from runtime.fake_kafka.cluster import Draft, FakeCluster
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.ports import RetriableError
from runtime.state.in_memory import MemoryState
from tests.loop.script import Happening, Script, raising
from tests.loop.scripted_ports import ScriptedReader, ScriptedState
from tests.turned_clock import TurnedClock

LOG = "changelog"
PARTITIONS = 3


def a_cluster() -> FakeCluster:
    cluster = FakeCluster(TurnedClock())
    cluster.create_topic(LOG, PARTITIONS)
    return cluster


def write(cluster: FakeCluster, partition: int, entries: dict[str, str | None]) -> None:
    for key, value in entries.items():
        cluster.append(LOG, partition, Draft(key.encode(), None if value is None else value.encode()))


def a_restorer(cluster: FakeCluster, state: MemoryState | None = None) -> ChangelogRestorer:
    return ChangelogRestorer(FakeLogReader(cluster, LOG), state or MemoryState())


def test_empty_changelog_is_complete_at_first_step() -> None:
    restorer = a_restorer(a_cluster())
    restorer.start(1)
    assert restorer.restoring == [1]
    complete, read = restorer.step(0.1)
    assert list(complete) == [1]
    assert not any(read.values())
    assert restorer.restoring == []


def test_on_complete_is_called_once_all_are_restored() -> None:
    cluster, told = a_cluster(), list[str]()
    write(cluster, 0, {"a": "1"})
    producer = cluster.transactions.open_producer("open")
    cluster.transactions.append(producer, cluster.topic(LOG).log(1), cluster.maker(LOG, 1, Draft(b"b", b"1")))
    reader = FakeLogReader(cluster, LOG)
    restorer = ChangelogRestorer(reader, MemoryState(), on_complete=lambda: told.append("complete"))
    restorer.start(0)
    restorer.start(1)
    restorer.step(0.1)
    assert told == []
    cluster.transactions.commit(producer)
    restorer.step(0.1)
    restorer.step(0.1)
    assert told == ["complete"]


def test_newest_value_wins_and_deletions_apply() -> None:
    cluster = a_cluster()
    write(cluster, 0, {"a": "1", "b": "1", "c": "1"})
    write(cluster, 0, {"a": "2", "b": None})
    restorer = a_restorer(cluster)
    restorer.start(0)
    complete, read = restorer.step(0.1)
    assert list(complete[0].scan(b"")) == [(b"a", b"2"), (b"c", b"1")]
    assert complete[0].position == 5
    assert read == {0: 5}


def test_partitions_complete_one_by_one() -> None:
    cluster = a_cluster()
    write(cluster, 0, {"a": "1"})
    producer = cluster.transactions.open_producer("open")
    log = cluster.topic(LOG).log(1)
    cluster.transactions.append(producer, log, cluster.maker(LOG, 1, Draft(b"b", b"1")))
    restorer = a_restorer(cluster)
    restorer.start(0)
    restorer.start(1)
    assert list(restorer.step(0.1)[0]) == [0]
    assert restorer.step(0.1) == ({}, {})
    assert restorer.remaining() == {1: 1}
    cluster.transactions.commit(producer)
    complete, read = restorer.step(0.1)
    assert list(complete) == [1]
    assert read == {1: 1}


def test_target_is_the_end_at_the_start() -> None:
    cluster = a_cluster()
    write(cluster, 0, {"a": "1"})
    producer = cluster.transactions.open_producer("open")
    restorer = a_restorer(cluster)
    restorer.start(0)
    cluster.transactions.append(producer, cluster.topic(LOG).log(1), cluster.maker(LOG, 1, Draft(b"b", b"1")))
    assert list(restorer.step(0.1)[0]) == [0]


def test_cancelled_partition_is_not_read() -> None:
    cluster = a_cluster()
    write(cluster, 0, {"a": "1"})
    restorer = a_restorer(cluster)
    restorer.start(0)
    restorer.cancel(0)
    restorer.cancel(2)
    assert restorer.restoring == []
    assert restorer.step(0.1) == ({}, {})


def test_restarted_partition_gets_a_new_target() -> None:
    cluster = a_cluster()
    restorer = a_restorer(cluster)
    for number in range(2):
        write(cluster, 0, {"a": str(number)})
        restorer.start(0)
        restorer.start(0)
        complete, _ = restorer.step(0.1)
        assert complete[0].position == number + 1


def test_next_step_retries_after_no_answer() -> None:
    cluster = a_cluster()
    write(cluster, 0, {"a": "1"})
    silent = Happening(before=raising(RetriableError("silence")))
    reader = ScriptedReader(cluster, LOG, Script.at_every("reader.watermarks", silent, times=1))
    restorer = ChangelogRestorer(reader, MemoryState())
    restorer.start(0)
    with pytest.raises(RetriableError):
        restorer.step(0.1)
    assert list(restorer.step(0.1)[0]) == [0]


def test_records_that_a_full_disk_refused_are_read_again() -> None:
    cluster, state = a_cluster(), ScriptedState()
    for partition in range(PARTITIONS):
        write(cluster, partition, {"a": "1", "b": "2"})
    restorer = a_restorer(cluster, state)
    for partition in range(PARTITIONS):
        restorer.start(partition)
    state.script = Script({1: Happening(before=raising(RetriableError("disk full")))})
    with pytest.raises(RetriableError):
        restorer.step(0.1)
    complete, _ = restorer.step(0.1)
    assert list(complete) == [0, 1, 2]
    assert [dict(store.scan(b"")) for store in complete.values()] == [{b"a": b"1", b"b": b"2"}] * 3


def test_store_at_the_end_is_kept_and_not_read() -> None:
    """Its position is the end of the changelog; after retention, that may be the beginning too."""
    cluster, state = a_cluster(), MemoryState()
    write(cluster, 0, {"a": "1", "b": "2"})
    log = cluster.topic(LOG).log(0)
    for deleted_before in (0, log.end):
        log.delete_before(deleted_before)
        reader = FakeLogReader(cluster, LOG)
        store = state.open(0, reader.topic_id())
        store.write({b"only here": b"1"}, log.end)
        restorer = ChangelogRestorer(reader, state)
        restorer.start(0)
        complete, read = restorer.step(0.1)
        assert complete[0].get_many([b"only here"]) == [b"1"]
        assert not any(read.values())
