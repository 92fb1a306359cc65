"""The order of what a commit asks of the library, and what it takes for an answer."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from runtime.kafka.transactional_consumer import KafkaTransactionalConsumer
from runtime.ports import OutcomeUnknown, ProducerRecord, TransactionAborted

RECORD = ProducerRecord("changelog", 0, b"key", b"value")


class ListeningProducer:
    """Notes what it is asked, and delivers at `flush` to the offset it was given."""

    def __init__(self, offset: int | None) -> None:
        self.asked: list[str] = []
        self._offset = offset
        self._reports: list[Callable[[KafkaError | None, Message], None]] = []

    def init_transactions(self, _timeout: float) -> None:
        self.asked.append("init")

    def begin_transaction(self) -> None:
        self.asked.append("begin")

    def produce(
        self, *_: Any, on_delivery: Callable[[KafkaError | None, Message], None] | None = None, **_named: Any
    ) -> None:
        self.asked.append("produce")
        if on_delivery:
            self._reports.append(on_delivery)

    def flush(self, _timeout: float) -> int:
        self.asked.append("flush")
        for report in self._reports:
            report(None, cast("Message", Delivered(self._offset)))
        return 0

    def send_offsets_to_transaction(self, *_: Any) -> None:
        self.asked.append("send offsets")

    def commit_transaction(self, _timeout: float) -> None:
        self.asked.append("commit")


class Delivered:
    def __init__(self, offset: int | None) -> None:
        self._offset = offset

    def partition(self) -> int:
        return 0

    def offset(self) -> int | None:
        return self._offset


class Joined:
    """A consumer that does nothing but belong to the group."""

    def subscribe(self, *_: Any, **_named: Any) -> None:
        pass

    def consumer_group_metadata(self) -> object:
        return object()

    member = "member"

    def memberid(self) -> str:
        return self.member

    def consume(self, *_: Any) -> list[Message]:
        return []


def a_stream(producer: ListeningProducer, consumer: Joined | None = None) -> KafkaTransactionalConsumer:
    stream = KafkaTransactionalConsumer(
        cast("Consumer", consumer or Joined()),
        lambda: cast("Producer", producer),
        cast("AdminClient", None),
        "clicks",
    )
    stream.consume(1, 0.0)
    stream.reinit_producer()
    stream.begin_transaction()
    return stream


def test_offsets_are_sent_after_the_records() -> None:
    """The next owner of a partition reads the changelog to the end it has when the group moves on.

    A generation fences offsets only, so no record may be produced after them: otherwise a suspended worker could append
    to a changelog that the next owner has read already.
    """
    producer = ListeningProducer(offset=7)
    stream = a_stream(producer)
    stream.produce_tracked(RECORD)
    assert stream.commit_transaction({0: 1}) == {0: 8}
    assert producer.asked == ["init", "begin", "produce", "flush", "send offsets", "commit"]


def test_unknown_offset_of_tracked_record_is_outcome_unknown() -> None:
    """The broker took a record for one that it had already, too long ago to remember where."""
    stream = a_stream(ListeningProducer(offset=None))
    stream.produce_tracked(RECORD)
    with pytest.raises(OutcomeUnknown):
        stream.commit_transaction({0: 1})


def test_removed_member_sends_no_offsets() -> None:
    """A static member that names no id would be told that it was fenced, which ends a worker that is merely late."""
    consumer, producer = Joined(), ListeningProducer(offset=7)
    stream = a_stream(producer, consumer)
    consumer.member = ""
    with pytest.raises(TransactionAborted) as raised:
        stream.commit_transaction({0: 1})
    assert raised.value.rebalance
    assert "send offsets" not in producer.asked


class SlowProducer(ListeningProducer):
    """Takes its time with everything; the broker would end the transaction meanwhile."""

    def __init__(self, clock: "Clock") -> None:
        super().__init__(offset=7)
        self.allowed: list[float] = []
        self._clock = clock

    def flush(self, timeout: float) -> int:
        self.allowed.append(timeout)
        self._clock.now += 8.0
        return super().flush(timeout)

    def send_offsets_to_transaction(self, *arguments: Any) -> None:
        self.allowed.append(arguments[-1])
        self._clock.now += 3.0


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_calls_of_a_transaction_share_one_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After `transaction.timeout.ms` the broker fences the producer: to be late would look like being replaced."""
    clock = Clock()
    monkeypatch.setattr("runtime.kafka.transactional_producer.time", clock)
    producer = SlowProducer(clock)
    stream = a_stream(producer)
    with pytest.raises(OutcomeUnknown, match="took longer than 10 s"):
        stream.commit_transaction({0: 1})
    assert producer.allowed == [10.0, 2.0]
    assert "commit" not in producer.asked


class FullProducer(ListeningProducer):
    """Has no room, and fails while one waits for some."""

    def produce(self, *_: Any, **_named: Any) -> None:
        raise BufferError

    def poll(self, _timeout: float) -> int:
        raise KafkaException(KafkaError(KafkaError.UNKNOWN))


def test_failure_while_queue_is_full_aborts_transaction() -> None:
    with pytest.raises(TransactionAborted):
        a_stream(FullProducer(offset=7)).produce(RECORD)


class AbortableProducer(ListeningProducer):
    """Answers to everything as a transaction that must be aborted does."""

    def init_transactions(self, timeout: float) -> None:
        if "init" in self.asked:
            raise KafkaException(KafkaError(KafkaError.UNKNOWN, "", False, False, True))
        super().init_transactions(timeout)

    def abort_transaction(self, _timeout: float) -> None:
        raise KafkaException(KafkaError(KafkaError.UNKNOWN, "", False, False, True))

    def purge(self) -> None: ...


def test_abort_without_transaction_is_outcome_unknown() -> None:
    stream = a_stream(AbortableProducer(offset=7))
    with pytest.raises(OutcomeUnknown):
        stream.abort_transaction()
    with pytest.raises(OutcomeUnknown):
        stream.reinit_producer()


class LosingPartition(Joined):
    """Hands out the end of a partition in the very call in which the partition is taken away."""

    def subscribe(self, *_: Any, **named: Any) -> None:
        self._on_revoke = named["on_revoke"]

    def consume(self, *_: Any) -> list[Message]:
        self._on_revoke(self, [TopicPartition("clicks", 0)])
        return [cast("Message", End())]


class End(Delivered):
    def __init__(self) -> None:
        super().__init__(offset=9)

    def error(self) -> KafkaError:
        return KafkaError(KafkaError._PARTITION_EOF)


def test_eof_during_revocation_is_dropped() -> None:
    """Committed when the partition comes back, it could lie before or behind what is done there by then."""
    stream = a_stream(ListeningProducer(offset=7), LosingPartition())
    assert stream.poll_assignment().revoked == {0}
    assert stream.eof_offset(0) is None
