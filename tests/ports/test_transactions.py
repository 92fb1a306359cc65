"""Visibility of transactions, and fencing."""

from random import Random
from time import sleep

import pytest

from runtime.errors import FatalKafkaError, Unavailable
from runtime.ports import OutcomeUnknown, ProducerRecord, TransactionAborted, TransactionalConsumer
from tests.ports.environment import Environment, assigned, poll_until, read_until, turn_idly

INCOMPRESSIBLE = Random(1).randbytes(3_000)
"""A broker's limit is for what is sent, compressed."""


def an_update(topic: str, value: str, partition: int = 0) -> ProducerRecord:
    return ProducerRecord(topic, partition, b"key", value.encode())


def test_commit_is_atomic_for_records_and_offsets(environment: Environment) -> None:
    clicks, updates = environment.create_topic(), environment.create_topic()
    environment.publish(clicks, 0, *"abc")
    stream = assigned(environment, clicks).stream
    stream.begin_transaction()
    stream.produce(an_update(updates, "one"))
    stream.produce_batch(1, [(updates, b"two", b"key", None), (updates, b"three", b"key", [("name", b"value")])])
    reader = environment.open_reader(updates)
    reader.assign(0, 0)
    reader.assign(1, 0)
    assert list(reader.poll(100, 0.5)) == []
    assert stream.commit_transaction({0: 3}) == {}
    assert stream.committed() == {0: 3, 1: 0}
    records = read_until(reader, 3)
    assert {(r.partition(), r.value()) for r in records} == {(0, b"one"), (1, b"two"), (1, b"three")}
    assert [r.headers() for r in records if r.value() == b"three"] == [[("name", b"value")]]


def test_zero_timestamp_becomes_now(environment: Environment) -> None:
    clicks, updates = environment.create_topic(), environment.create_topic()
    stream = assigned(environment, clicks).stream
    stream.begin_transaction()
    stream.produce(ProducerRecord(updates, 0, b"key", b"now"))
    stream.produce(ProducerRecord(updates, 0, None, None, (("name", None),), timestamp=1_600_000_000_000))
    stream.commit_transaction({0: 0})
    reader = environment.open_reader(updates)
    reader.assign(0, 0)
    now, kept = read_until(reader, 2)
    assert now.timestamp()[1] > 1_600_000_000_000
    assert kept.timestamp()[1] == 1_600_000_000_000
    assert (kept.key(), kept.value(), kept.headers()) == (None, None, [("name", None)])


def test_abort_hides_records_and_keeps_offsets(environment: Environment) -> None:
    clicks, updates = environment.create_topic(), environment.create_topic()
    stream = assigned(environment, clicks).stream
    stream.begin_transaction()
    stream.produce(an_update(updates, "aborted"))
    stream.abort_transaction()
    stream.begin_transaction()
    stream.produce(an_update(updates, "committed"))
    stream.commit_transaction({1: 0})
    assert environment.committed_values(updates) == {0: ["committed"], 1: []}
    assert stream.committed() == {0: 0, 1: 0}


def test_commit_of_offsets_only(environment: Environment) -> None:
    clicks = environment.create_topic()
    environment.publish(clicks, 0, *"abc")
    stream = assigned(environment, clicks).stream
    stream.begin_transaction()
    stream.commit_transaction({0: 2, 1: 0})
    stream.begin_transaction()
    stream.commit_transaction({0: 3})
    assert stream.committed() == {0: 3, 1: 0}


def test_commit_returns_offset_after_tracked_record(environment: Environment) -> None:
    clicks, log = environment.create_topic(), environment.create_topic()
    environment.publish(log, 0, "earlier")
    stream = assigned(environment, clicks).stream
    stream.begin_transaction()
    stream.produce(an_update(log, "a"))
    stream.produce_tracked(an_update(log, "b"))
    stream.produce_tracked(an_update(log, "c", partition=1))
    assert stream.commit_transaction({0: 0}) == {0: 3, 1: 1}
    stream.begin_transaction()
    stream.produce_tracked(an_update(log, "d"))
    # The control record of the previous transaction comes in between.
    assert stream.commit_transaction({0: 0}) == {0: 5}


def test_abort_clears_tracked_records(environment: Environment) -> None:
    clicks, log = environment.create_topic(), environment.create_topic()
    stream = assigned(environment, clicks).stream
    stream.begin_transaction()
    stream.produce_tracked(an_update(log, "a"))
    stream.abort_transaction()
    stream.begin_transaction()
    assert stream.commit_transaction({0: 0}) == {}


def test_reinit_aborts_own_open_transaction(environment: Environment) -> None:
    clicks, updates = environment.create_topic(), environment.create_topic()
    stream = assigned(environment, clicks).stream
    stream.begin_transaction()
    stream.produce(an_update(updates, "left open"))
    stream.reinit_producer()
    stream.begin_transaction()
    stream.produce(an_update(updates, "committed"))
    stream.commit_transaction({0: 0})
    assert environment.committed_values(updates)[0] == ["committed"]


def test_reinit_fences_previous_producer(environment: Environment) -> None:
    clicks, updates = environment.create_topic(), environment.create_topic()
    zombie = assigned(environment, clicks).stream
    zombie.begin_transaction()
    zombie.produce(an_update(updates, "of the zombie"))
    successor = environment.open_stream(clicks)
    successor.reinit_producer()

    def go_on() -> None:
        zombie.produce(an_update(updates, "of the zombie"))
        zombie.commit_transaction({0: 0})

    with pytest.raises(FatalKafkaError):
        go_on()
    successor.begin_transaction()
    successor.produce(an_update(updates, "of the successor"))
    successor.abort_transaction()
    assert environment.committed_values(updates)[0] == []


def test_produce_without_producer_raises(environment: Environment) -> None:
    stream = environment.open_stream(environment.create_topic())
    with pytest.raises(OutcomeUnknown):
        stream.begin_transaction()


def test_too_large_record_aborts_only_its_transaction(environment: Environment) -> None:
    clicks, updates = environment.create_topic(), environment.create_topic(max_message_bytes=2_000)
    stream = assigned(environment, clicks).stream
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
    assert environment.committed_values(updates)[0] == ["small"]


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


def test_produce_to_deleted_topic_is_not_committed(environment: Environment) -> None:
    """And the stream tells so: were it an unknown outcome, the loop would try for ever and no person would hear."""
    stream = assigned(environment, environment.create_topic()).stream
    stream.begin_transaction()

    def go_on() -> None:
        stream.produce(an_update("there-is-no-such-topic", "a"))
        stream.commit_transaction({0: 0})

    with pytest.raises((TransactionAborted, Unavailable)):
        go_on()


def test_removed_member_cannot_commit(environment: Environment) -> None:
    clicks, updates = environment.create_topic(), environment.create_topic()
    environment.publish(clicks, 0, *"abc")
    poller = assigned(environment, clicks)
    poller.resume_assigned()
    poll_until(lambda: len(poller.records) == 3, poller)
    poller.stream.begin_transaction()
    poller.stream.produce(an_update(updates, "too late"))
    environment.expire_member(poller.stream)
    with pytest.raises(TransactionAborted) as raised:
        poller.stream.commit_transaction({0: 3})
    assert raised.value.rebalance
    assert not raised.value.poison
    poller.stream.abort_transaction()
    poll_until(lambda: len(poller.changes) > 1 and poller.assigned == {0, 1}, poller)
    assert poller.changes[1].revoked == {0, 1}
    poller.resume_assigned()
    poll_until(lambda: len(poller.records) == 6, poller)
    assert poller.values(0) == ["a", "b", "c"] * 2
    assert environment.committed_values(updates)[0] == []


def test_consume_returns_committed_records_only(environment: Environment) -> None:
    clicks = environment.create_topic(1)
    aborted = environment.leave_open(clicks, 0, "aborted")
    committed = environment.leave_open(clicks, 0, "committed")
    environment.publish(clicks, 0, "plain")
    poller = assigned(environment, clicks, 1)
    poller.resume_assigned()
    turn_idly(poller)
    assert poller.records == []
    committed.commit()
    turn_idly(poller)
    assert poller.records == []
    aborted.abort()
    poll_until(lambda: len(poller.records) == 2, poller)
    turn_idly(poller)
    assert poller.values(0) == ["committed", "plain"]


def test_abort_before_any_send_is_recoverable(environment: Environment) -> None:
    clicks, updates = environment.create_topic(), environment.create_topic(4)
    poller = assigned(environment, clicks)
    stream = poller.stream
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
        poller.turn()
    assert environment.committed_values(updates) == {0: ["committed"] * 15, 1: [], 2: [], 3: []}
