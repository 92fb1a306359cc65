"""The order of what a commit asks of the library, and what it takes for an answer."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient

from consumer.kafka.stream import KafkaClickStream
from consumer.streams import OutcomeUnknown, Outgoing

RECORD = Outgoing("changelog", 0, b"key", b"value")


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

    def memberid(self) -> str:
        return "member"


def a_stream(producer: ListeningProducer) -> KafkaClickStream:
    stream = KafkaClickStream(
        cast("Consumer", Joined()), lambda: cast("Producer", producer), cast("AdminClient", None), "clicks"
    )
    stream.renew()
    stream.begin()
    return stream


def test_offsets_are_sent_only_once_all_records_are_in_the_log() -> None:
    """Whoever takes the partition over reads the changelog to the end it has when the group has moved on.

    Offsets are the one thing that the group's move fences, so no record may come after them: else a worker that stood
    still between the two would add to the changelog behind the back of its successor, and commit.
    """
    producer = ListeningProducer(offset=7)
    stream = a_stream(producer)
    stream.track(RECORD)
    assert stream.commit({0: 1}) == {0: 8}
    assert producer.asked == ["init", "begin", "produce", "flush", "send offsets", "commit"]


def test_a_record_whose_place_the_library_does_not_know_makes_the_worker_look_for_it() -> None:
    """The broker took a record for one that it had already, too long ago to remember where."""
    stream = a_stream(ListeningProducer(offset=None))
    stream.track(RECORD)
    with pytest.raises(OutcomeUnknown):
        stream.commit({0: 1})
