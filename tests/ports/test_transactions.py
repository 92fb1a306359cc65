"""What becomes visible, when, and who may still write."""

from random import Random
from time import sleep

import pytest

from consumer.errors import FatalKafkaError, Unavailable
from consumer.ports import OutcomeUnknown, ProducerRecord, TransactionAborted, TransactionalConsumer
from tests.ports.ground import Ground, assigned, read_until, turn_idly, turn_until

INCOMPRESSIBLE = Random(1).randbytes(3_000)
"""A broker's limit is for what is sent, compressed."""


def an_update(topic: str, value: str, partition: int = 0) -> ProducerRecord:
    return ProducerRecord(topic, partition, b"key", value.encode())


def test_commit_is_atomic_for_records_and_offsets(ground: Ground) -> None:
    clicks, updates = ground.create_topic(), ground.create_topic()
    ground.publish(clicks, 0, *"abc")
    stream = assigned(ground, clicks).stream
    stream.begin_transaction()
    stream.produce(an_update(updates, "one"))
    stream.produce_batch(1, [(updates, b"two", b"key", None), (updates, b"three", b"key", [("name", b"value")])])
    reader = ground.open_reader(updates)
    reader.assign(0, 0)
    reader.assign(1, 0)
    assert list(reader.poll(100, 0.5)) == []
    assert stream.commit_transaction({0: 3}) == {}
    assert stream.committed() == {0: 3, 1: 0}
    records = read_until(reader, 3)
    assert {(r.partition(), r.value()) for r in records} == {(0, b"one"), (1, b"two"), (1, b"three")}
    assert [r.headers() for r in records if r.value() == b"three"] == [[("name", b"value")]]


def test_zero_timestamp_becomes_now(ground: Ground) -> None:
    clicks, updates = ground.create_topic(), ground.create_topic()
    stream = assigned(ground, clicks).stream
    stream.begin_transaction()
    stream.produce(ProducerRecord(updates, 0, b"key", b"now"))
    stream.produce(ProducerRecord(updates, 0, None, None, (("name", None),), timestamp=1_600_000_000_000))
    stream.commit_transaction({0: 0})
    reader = ground.open_reader(updates)
    reader.assign(0, 0)
    now, kept = read_until(reader, 2)
    assert now.timestamp()[1] > 1_600_000_000_000
    assert kept.timestamp()[1] == 1_600_000_000_000
    assert (kept.key(), kept.value(), kept.headers()) == (None, None, [("name", None)])


def test_abort_hides_records_and_keeps_offsets(ground: Ground) -> None:
    clicks, updates = ground.create_topic(), ground.create_topic()
    stream = assigned(ground, clicks).stream
    stream.begin_transaction()
    stream.produce(an_update(updates, "aborted"))
    stream.abort_transaction()
    stream.begin_transaction()
    stream.produce(an_update(updates, "committed"))
    stream.commit_transaction({1: 0})
    assert ground.committed_values(updates) == {0: ["committed"], 1: []}
    assert stream.committed() == {0: 0, 1: 0}


def test_commit_of_offsets_only(ground: Ground) -> None:
    clicks = ground.create_topic()
    ground.publish(clicks, 0, *"abc")
    stream = assigned(ground, clicks).stream
    stream.begin_transaction()
    stream.commit_transaction({0: 2, 1: 0})
    stream.begin_transaction()
    stream.commit_transaction({0: 3})
    assert stream.committed() == {0: 3, 1: 0}


def test_commit_returns_offset_after_tracked_record(ground: Ground) -> None:
    clicks, log = ground.create_topic(), ground.create_topic()
    ground.publish(log, 0, "earlier")
    stream = assigned(ground, clicks).stream
    stream.begin_transaction()
    stream.produce(an_update(log, "a"))
    stream.produce_tracked(an_update(log, "b"))
    stream.produce_tracked(an_update(log, "c", partition=1))
    assert stream.commit_transaction({0: 0}) == {0: 3, 1: 1}
    stream.begin_transaction()
    stream.produce_tracked(an_update(log, "d"))
    # The control record of the transaction before stands in between.
    assert stream.commit_transaction({0: 0}) == {0: 5}


def test_abort_clears_tracked_records(ground: Ground) -> None:
    clicks, log = ground.create_topic(), ground.create_topic()
    stream = assigned(ground, clicks).stream
    stream.begin_transaction()
    stream.produce_tracked(an_update(log, "a"))
    stream.abort_transaction()
    stream.begin_transaction()
    assert stream.commit_transaction({0: 0}) == {}


def test_reinit_aborts_own_open_transaction(ground: Ground) -> None:
    clicks, updates = ground.create_topic(), ground.create_topic()
    stream = assigned(ground, clicks).stream
    stream.begin_transaction()
    stream.produce(an_update(updates, "left open"))
    stream.reinit_producer()
    stream.begin_transaction()
    stream.produce(an_update(updates, "committed"))
    stream.commit_transaction({0: 0})
    assert ground.committed_values(updates)[0] == ["committed"]


def test_reinit_fences_previous_producer(ground: Ground) -> None:
    clicks, updates = ground.create_topic(), ground.create_topic()
    zombie = assigned(ground, clicks).stream
    zombie.begin_transaction()
    zombie.produce(an_update(updates, "of the zombie"))
    successor = ground.open_stream(clicks)
    successor.reinit_producer()

    def go_on() -> None:
        zombie.produce(an_update(updates, "of the zombie"))
        zombie.commit_transaction({0: 0})

    with pytest.raises(FatalKafkaError):
        go_on()
    successor.begin_transaction()
    successor.produce(an_update(updates, "of the successor"))
    successor.abort_transaction()
    assert ground.committed_values(updates)[0] == []


def test_produce_without_producer_raises(ground: Ground) -> None:
    stream = ground.open_stream(ground.create_topic())
    with pytest.raises(OutcomeUnknown):
        stream.begin_transaction()


def test_too_large_record_aborts_only_its_transaction(ground: Ground) -> None:
    clicks, updates = ground.create_topic(), ground.create_topic(max_message_bytes=2_000)
    stream = assigned(ground, clicks).stream
    stream.begin_transaction()
    stream.produce(an_update(updates, "small"))

    def go_on() -> None:
        stream.produce(ProducerRecord(updates, 0, b"key", INCOMPRESSIBLE))
        stream.commit_transaction({0: 0})

    with pytest.raises(TransactionAborted) as raised:
        go_on()
    assert raised.value.poison
    stream.abort_transaction()
    commit_within(stream, an_update(updates, "small"), tries=3)
    assert ground.committed_values(updates)[0] == ["small"]


def commit_within(stream: TransactionalConsumer, record: ProducerRecord, tries: int) -> None:
    """Commit a record; after a refusal the library's next transaction fails once, with a gap in the sequence."""
    for _ in range(tries):
        stream.begin_transaction()
        stream.produce(record)
        try:
            stream.commit_transaction({0: 0})
        except TransactionAborted:
            stream.abort_transaction()
        else:
            return
    raise AssertionError(f"none of {tries} transactions was committed")


def test_produce_to_deleted_topic_is_not_committed(ground: Ground) -> None:
    """And the stream tells so: were it an unknown outcome, the loop would try for ever and no person would hear."""
    stream = assigned(ground, ground.create_topic()).stream
    stream.begin_transaction()

    def go_on() -> None:
        stream.produce(an_update("there-is-no-such-topic", "a"))
        stream.commit_transaction({0: 0})

    with pytest.raises((TransactionAborted, Unavailable)):
        go_on()


def test_removed_member_cannot_commit(ground: Ground) -> None:
    clicks, updates = ground.create_topic(), ground.create_topic()
    ground.publish(clicks, 0, *"abc")
    turner = assigned(ground, clicks)
    turner.release_given()
    turn_until(lambda: len(turner.records) == 3, turner)
    turner.stream.begin_transaction()
    turner.stream.produce(an_update(updates, "too late"))
    ground.put_out(turner.stream)
    with pytest.raises(TransactionAborted) as raised:
        turner.stream.commit_transaction({0: 3})
    assert raised.value.rebalance
    assert not raised.value.poison
    turner.stream.abort_transaction()
    turn_until(lambda: len(turner.changes) > 1 and turner.assigned == {0, 1}, turner)
    assert turner.changes[1].revoked == {0, 1}
    turner.release_given()
    turn_until(lambda: len(turner.records) == 6, turner)
    assert turner.values(0) == ["a", "b", "c"] * 2
    assert ground.committed_values(updates)[0] == []


def test_consume_returns_committed_records_only(ground: Ground) -> None:
    clicks = ground.create_topic(1)
    aborted = ground.leave_open(clicks, 0, "aborted")
    committed = ground.leave_open(clicks, 0, "committed")
    ground.publish(clicks, 0, "plain")
    turner = assigned(ground, clicks, 1)
    turner.release_given()
    turn_idly(turner)
    assert turner.records == []
    committed.commit()
    turn_idly(turner)
    assert turner.records == []
    aborted.abort()
    turn_until(lambda: len(turner.records) == 2, turner)
    turn_idly(turner)
    assert turner.values(0) == ["committed", "plain"]


def test_abort_before_any_send_is_recoverable(ground: Ground) -> None:
    clicks, updates = ground.create_topic(), ground.create_topic(4)
    turner = assigned(ground, clicks)
    stream = turner.stream
    for _ in range(15):
        stream.begin_transaction()
        stream.produce(an_update(updates, "committed"))
        stream.commit_transaction({0: 0})
        stream.begin_transaction()
        for partition in range(4):
            stream.produce(an_update(updates, "aborted", partition))
        sleep(0.003)  # in which the library begins, and does not end, to tell the broker of the transaction
        try:
            stream.abort_transaction()
        except OutcomeUnknown:
            stream.reinit_producer()
        turner.turn()
    assert ground.committed_values(updates) == {0: ["committed"] * 15, 1: [], 2: [], 3: []}
