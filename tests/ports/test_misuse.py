"""Calls that are bugs of the program: the fake refuses what Kafka's client refuses."""

from collections.abc import Callable
from functools import partial

import pytest
from confluent_kafka import KafkaException

from runtime.errors import Unavailable
from runtime.fake_kafka.refusal import Misuse
from runtime.ports import (
    LogReader,
    OutcomeUnknown,
    ProducerRecord,
    RetriableError,
    TransactionAborted,
    TransactionalConsumer,
)
from tests.ports.environment import Environment, Poller, assigned, poll_until, read_until, text

REFUSED = (Misuse, KafkaException, RuntimeError, ValueError)
"""Errors of the fake and of the library that the loop does not handle."""


def is_refused(act: Callable[[], object], errors: tuple[type[Exception], ...]) -> bool:
    try:
        act()
    except errors:
        return True
    return False


def a_record(topic: str, partition: int = 0) -> ProducerRecord:
    return ProducerRecord(topic, partition, b"key", b"value")


def test_assigning_a_partition_twice_raises(environment: Environment) -> None:
    topic = environment.create_topic()
    environment.publish(topic, 0, *"abc")
    reader = environment.open_reader(topic)
    reader.assign(0, 1)
    for position in (1, 2):
        with pytest.raises(REFUSED):
            reader.assign(0, position)
    assert reader.positions == {0: 1}
    assert [text(record) for record in read_until(reader, 2)] == ["b", "c"]
    reader.unassign(0)
    reader.assign(0, 0)
    assert [text(record) for record in read_until(reader, 3)] == ["a", "b", "c"]


def test_negative_position_raises(environment: Environment) -> None:
    reader = environment.open_reader(environment.create_topic())
    with pytest.raises(REFUSED):
        reader.assign(0, -5)
    assert reader.positions == {}


def test_watermarks_of_missing_partition_raise(environment: Environment) -> None:
    reader = environment.open_reader(environment.create_topic())
    assert reader.watermarks([]) == {}
    with pytest.raises(RetriableError):
        reader.watermarks([9])


@pytest.mark.parametrize("limit", [-1, 1_000_001])
def test_invalid_limit_raises(environment: Environment, limit: int) -> None:
    reader = environment.open_reader(environment.create_topic())
    assert list(reader.poll(0, 0.0)) == []
    with pytest.raises(REFUSED):
        reader.poll(limit, 0.0)


USES_OF_A_READER: dict[str, Callable[[LogReader], object]] = {
    "poll": lambda reader: reader.poll(1, 0.0),
    "assign": lambda reader: reader.assign(1, 0),
    "unassign": lambda reader: reader.unassign(0),
}


@pytest.mark.parametrize("use", USES_OF_A_READER.values(), ids=USES_OF_A_READER.keys())
def test_closed_reader_raises(environment: Environment, use: Callable[[LogReader], object]) -> None:
    reader = environment.open_reader(environment.create_topic())
    reader.assign(0, 0)
    reader.close()
    reader.close()
    with pytest.raises(REFUSED):
        use(reader)


USES_OF_A_STREAM: dict[str, Callable[[TransactionalConsumer], object]] = {
    "consume": lambda stream: stream.consume(1, 0.0),
    "pause": lambda stream: stream.pause([0]),
    "resume": lambda stream: stream.resume([0]),
    "seek_to_committed": lambda stream: stream.seek_to_committed([0]),
    "end_offsets": lambda stream: stream.end_offsets(),
    "committed": lambda stream: stream.committed(),
    "lag": lambda stream: stream.lag(0, 0),
    "close": lambda stream: stream.close(),
}


def test_closed_consumer_raises(environment: Environment) -> None:
    stream = assigned(environment, environment.create_topic()).stream
    stream.close()
    for name, use in USES_OF_A_STREAM.items():
        assert is_refused(partial(use, stream), REFUSED), name


def test_seek_of_unassigned_partition_raises(environment: Environment) -> None:
    with pytest.raises((RetriableError, Unavailable)):
        assigned(environment, environment.create_topic()).stream.seek_to_committed([9])
    with pytest.raises((RetriableError, Unavailable)):
        environment.open_stream(environment.create_topic(), "two").seek_to_committed([0])


OUTSIDE: dict[str, Callable[[TransactionalConsumer, str], object]] = {
    "produce": lambda stream, topic: stream.produce(a_record(topic)),
    "produce_batch": lambda stream, topic: stream.produce_batch(0, [(topic, b"value", b"key", None)]),
    "produce_tracked": lambda stream, topic: stream.produce_tracked(a_record(topic)),
    "commit_transaction": lambda stream, _: stream.commit_transaction({0: 0}),
    "abort_transaction": lambda stream, _: stream.abort_transaction(),
}


def test_produce_outside_transaction_raises(environment: Environment) -> None:
    stream, updates = assigned(environment, environment.create_topic()).stream, environment.create_topic()
    for name, act in OUTSIDE.items():
        stream.reinit_producer()
        assert is_refused(partial(act, stream, updates), (TransactionAborted, OutcomeUnknown)), name
    stream.reinit_producer()
    stream.begin_transaction()
    with pytest.raises(OutcomeUnknown):
        stream.begin_transaction()
    assert environment.committed_values(updates) == {0: [], 1: []}


def test_produce_after_reinit_needs_a_new_transaction(environment: Environment) -> None:
    stream, updates = assigned(environment, environment.create_topic()).stream, environment.create_topic()
    stream.begin_transaction()
    stream.reinit_producer()
    with pytest.raises(TransactionAborted):
        stream.produce(a_record(updates))


def test_produce_to_missing_partition_is_not_committed(environment: Environment) -> None:
    stream, updates = assigned(environment, environment.create_topic()).stream, environment.create_topic()
    stream.begin_transaction()

    def go_on() -> None:
        stream.produce(a_record(updates, partition=9))
        stream.commit_transaction({0: 0})

    with pytest.raises((TransactionAborted, Unavailable)):
        go_on()


def test_offsets_of_missing_partition_are_not_committed(environment: Environment) -> None:
    stream, updates = assigned(environment, environment.create_topic()).stream, environment.create_topic()
    stream.begin_transaction()
    stream.produce(a_record(updates))
    with pytest.raises((TransactionAborted, Unavailable)):
        stream.commit_transaction({9: 0})
    stream.reinit_producer()
    assert environment.committed_values(updates) == {0: [], 1: []}


@pytest.mark.parametrize(("offsets", "committed"), [({}, 1), ({0: -5}, 1), ({0: 1_000}, 1_000)])
def test_negative_offsets_are_not_committed(environment: Environment, offsets: dict[int, int], committed: int) -> None:
    poller: Poller = assigned(environment, environment.create_topic())
    for each in ({0: 1}, offsets):
        poller.stream.begin_transaction()
        poller.stream.commit_transaction(each)
        poller.turn()
    poll_until(lambda: poller.stream.committed() == {0: committed, 1: 0}, poller)
