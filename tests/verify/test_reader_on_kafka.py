"""The reader on a real broker: it sees what a subscriber sees and waits for open transactions."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from consumer.verify.reader import NotReadable, read_topic
from deploy.kafka import Broker
from tests.support.patience import stretched

PARTITIONS = 2
NOW = int(time.time() * 1000)
"""The current time: with an old one, the broker's retention may delete the records during a test."""


@pytest.fixture
def topic(kafka: Broker, topic_prefix: str) -> Iterator[str]:
    admin, name = AdminClient({"bootstrap.servers": kafka.bootstrap_servers}), f"{topic_prefix}verified"
    for created in admin.create_topics([NewTopic(name, PARTITIONS, 1)]).values():
        created.result(stretched(30))
    yield name
    for deleted in admin.delete_topics([name]).values():
        deleted.result(stretched(30))


def in_transaction(kafka: Broker, topic: str, value: bytes, end: Callable[[Producer], None]) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": f"{topic}-{value.decode()}"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, value, b"key", 0, headers=[("ce_id", b"1")], timestamp=NOW)
    producer.flush(stretched(30))
    end(producer)


def commit(producer: Producer) -> None:
    producer.commit_transaction(30)


def abort(producer: Producer) -> None:
    producer.abort_transaction(30)


def test_read_committed_sees_committed_records(kafka: Broker, topic: str) -> None:
    in_transaction(kafka, topic, b"kept", commit)
    in_transaction(kafka, topic, b"dropped", abort)

    [seen] = read_topic(kafka.bootstrap_servers, topic)

    assert (seen.topic, seen.partition, seen.offset, seen.partitions) == (topic, 0, 0, PARTITIONS)
    assert (seen.key, seen.value, seen.headers) == (b"key", b"kept", [("ce_id", b"1")])
    assert seen.timestamp_ms == NOW


def test_read_uncommitted_sees_aborted_records_too(kafka: Broker, topic: str) -> None:
    in_transaction(kafka, topic, b"kept", commit)
    in_transaction(kafka, topic, b"dropped", abort)

    seen = read_topic(kafka.bootstrap_servers, topic, isolation="read_uncommitted")

    assert [each.value for each in seen] == [b"kept", b"dropped"]


def test_empty_topic_is_read_at_once(kafka: Broker, topic: str) -> None:
    started = time.monotonic()

    assert read_topic(kafka.bootstrap_servers, topic) == []
    assert time.monotonic() - started < stretched(20)


def test_waits_for_an_open_transaction(kafka: Broker, topic: str) -> None:
    opened: list[Producer] = []
    in_transaction(kafka, topic, b"open", opened.append)
    in_transaction(kafka, topic, b"after it", commit)
    commit_timer = threading.Timer(2, commit, opened)
    commit_timer.start()

    seen = read_topic(kafka.bootstrap_servers, topic)

    commit_timer.join()
    assert [each.value for each in seen] == [b"open", b"after it"]


def test_missing_topic_is_not_readable(kafka: Broker, topic_prefix: str) -> None:
    with pytest.raises(NotReadable, match="missing"):
        read_topic(kafka.bootstrap_servers, f"{topic_prefix}missing")
