"""Handing records to a producer: each way to the client library takes the same records and stops at the same one."""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from runtime.kafka.backend import BACKENDS, LIBRDKAFKA, Backend, best_backend
from runtime.kafka.backend_ports import SendableRecord
from tests.support.mock_cluster import MockCluster, mock_cluster
from tests.support.patience import stretched

TOPIC = "updates"
RECORDS: list[SendableRecord] = [
    (TOPIC, b"value", b"key", [("name", b"content"), ("empty", b""), ("none", None)]),
    (TOPIC, b"", b"", None),
    (TOPIC, None, b"deleted", []),
    (TOPIC + "", b"\0" * 1_000, b"\0", [("\u00e4", b"\xff")]),
]
SECONDS = 20.0


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    return BACKENDS[request.param]


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster(TOPIC, partitions=2) as running:
        yield running


def read(cluster: MockCluster, count: int) -> list[Any]:
    config = {"bootstrap.servers": cluster.bootstrap_servers, "group.id": "reader", "auto.offset.reset": "earliest"}
    with closing(Consumer(config)) as consumer:
        consumer.subscribe([TOPIC])
        messages = consumer.consume(count, SECONDS)
    return [(m.partition(), m.value(), m.key(), m.headers()) for m in messages]


def test_produced_records_are_read(cluster: MockCluster, backend: Backend) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "linger.ms": 5})
    assert backend.produce_batch(producer, 1, RECORDS, 0) == len(RECORDS)
    assert backend.produce_batch(producer, 1, RECORDS, 3) == len(RECORDS)
    assert producer.flush(stretched(SECONDS)) == 0
    sent = [*RECORDS, RECORDS[3]]
    assert read(cluster, len(sent)) == [(1, value, key, headers or None) for _, value, key, headers in sent]


def test_produce_batch_returns_first_record_without_room(backend: Backend) -> None:
    """No broker answers, so the queue stays full."""
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "queue.buffering.max.messages": 3, "log_level": 0})
    assert backend.produce_batch(producer, 0, RECORDS, 0) == 3
    assert backend.produce_batch(producer, 0, RECORDS, 3) == 3
    producer.purge()
    producer.flush(stretched(SECONDS))


def test_produce_batch_returns_first_too_large_record(backend: Backend) -> None:
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "message.max.bytes": 1_000, "log_level": 0})
    too_large = (TOPIC, b"x" * 2_000, b"k", [("a", b"b")])
    assert backend.produce_batch(producer, 0, [RECORDS[0], too_large, RECORDS[0]], 0) == 1
    producer.purge()
    producer.flush(stretched(SECONDS))


def test_produce_batch_refuses_invalid_records(backend: Backend) -> None:
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    with pytest.raises(TypeError):
        backend.produce_batch(producer, 0, [(TOPIC, 1, b"k", None)], 0)  # type: ignore[list-item]  # what is tested
    with pytest.raises(TypeError):
        backend.produce_batch(producer, 0, [(TOPIC, b"v", b"k", [("name", 1)])], 0)


@pytest.mark.skipif(not os.environ.get("CI"), reason="a local installation may lack a C compiler")
def test_ci_has_the_compiled_backend() -> None:
    """After an update of the client library a person must check the layout of its client objects."""
    assert best_backend() == LIBRDKAFKA
