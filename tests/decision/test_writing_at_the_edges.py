"""What the client library cannot give back of a record must not stop the worker."""

from typing import Any

from consumer.decision.decision import Decision
from consumer.loop.batch import PartitionBatch
from consumer.loop.transaction_output import TransactionOutput
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.topic_reader import read_topic
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from schemas.bad_record import BadRecord, Reason
from schemas.topics import TopicNames
from tests.turned_clock import TurnedClock

NAMES = TopicNames("", "group", ())


class WithHeadersOfAnotherAlphabet(FakeRecord):
    """The library raises this where the name of a header is no UTF-8; asked again, it gives out broken pointers."""

    __slots__ = ("_asked",)

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        if hasattr(self, "_asked"):
            raise AssertionError("asked twice")
        self._asked = True
        raise SystemError("returned a result with an exception set") from UnicodeDecodeError("utf-8", b"\xff", 0, 1, "")


def written(decision: Decision, topic: str) -> list[Any]:
    cluster = FakeCluster(TurnedClock())
    for name in (NAMES.clicks, NAMES.dead_letters, NAMES.changelog):
        cluster.create_topic(name, 1)
    stream = FakeTransactionalConsumer(cluster, NAMES.clicks, group_id="group", transactional_id="t")
    stream.reinit_producer()
    record = WithHeadersOfAnotherAlphabet((NAMES.clicks, 0), 7, key=b"k", value=b"v", headers=(), timestamp=5)
    decision.entries[b"note"] = b"which the loop writes with every batch"
    stream.begin_transaction()
    TransactionOutput(stream, NAMES, b"", "1.0").write(PartitionBatch(0, [record], decision))
    stream.consume(1, 0)
    stream.commit_transaction({0: 8})
    return read_topic(cluster, topic)


def test_bad_record_with_unreadable_headers_is_dead_letter() -> None:
    (letter,) = written(Decision(dead_letters={0: BadRecord(Reason.MALFORMED, "odd")}), NAMES.dead_letters)
    headers = dict(letter.headers())
    assert (letter.key(), letter.value(), headers["dlq.reason"]) == (b"k", b"v", b"malformed")
    assert headers["dlq.detail"] == b"odd; its headers are left out, since the name of one is not UTF-8"


def test_misrouted_click_drops_unreadable_headers() -> None:
    (click,) = written(Decision(rerouted=[(0, b"right", 0)]), NAMES.clicks)
    assert (click.key(), click.value(), click.headers()) == (b"right", b"v", None)


def test_the_batch_keeps_no_updates_once_they_are_produced() -> None:
    batch = PartitionBatch(0, [], Decision(updates=[(NAMES.dead_letters, b"v", b"k", [])]))

    assert [value for _, value, _, _ in batch.pop_updates()] == [b"v"]
    assert (list(batch.updates), list(batch.decision.updates)) == ([], [])
