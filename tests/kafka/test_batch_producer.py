"""Batches on a real broker, by each backend: what is delivered, what fails, and what the library reports meanwhile."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.kafka import Broker
from runtime.config.kafka_settings import KafkaSettings
from runtime.kafka.backend import BACKENDS
from runtime.kafka.backend_ports import BatchProducer, BatchRecord
from runtime.kafka.client import open_producer, producer_config
from runtime.monitoring.logs import CLIENT_LIBRARY
from schemas.identity import partition_of

pytestmark = pytest.mark.kafka

PARTITIONS = 3
RECORDS = 2_000
NOON = 1_750_000_000_000


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def a_producer(servers: str, **properties: object) -> Producer:
    settings = KafkaSettings(bootstrap_servers=servers, group_id="test", instance_id="1", topic_prefix="")
    return open_producer(producer_config(settings) | {"message.timeout.ms": 0} | properties)


@pytest.fixture
def topic(kafka: Broker, topic_prefix: str) -> str:
    name = f"{topic_prefix}batches"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.create_topics([NewTopic(name, PARTITIONS, 1, config={"max.message.bytes": "1000000"})])[name].result()
    return name


def batch(topic: str, *, size: int = 100) -> list[BatchRecord]:
    return [(topic, NOON + number, b"acme/%d" % number, b"%d " % number + b"v" * size) for number in range(RECORDS)]


def records_in(servers: str, topic: str) -> Iterator[tuple[int | None, bytes | None, bytes | None, int]]:
    """Yield partition, key, value and timestamp of each record of the topic."""
    with closing(Consumer({"bootstrap.servers": servers, "group.id": "test", "enable.auto.commit": False})) as consumer:
        places = [TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)]
        left = sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)
        consumer.assign(places)
        while left:
            for message in consumer.consume(1_000, 5):
                assert message.error() is None
                left -= 1
                yield message.partition(), message.key(), message.value(), message.timestamp()[1]


def wait_settled(producer: BatchProducer) -> None:
    deadline = time.monotonic() + 30
    while not producer.wait(0.2):
        assert time.monotonic() < deadline


def test_batch_is_delivered(kafka: Broker, topic: str, backend: str) -> None:
    sent = batch(topic)
    with closing(BACKENDS[backend].open_batch_producer(a_producer(kafka.bootstrap_servers))) as producer:
        assert producer.produce(sent, 0, 700) == 700
        assert producer.produce(sent, 700, RECORDS) == RECORDS
        wait_settled(producer)
        assert producer.failures == []
    found = sorted(records_in(kafka.bootstrap_servers, topic), key=lambda each: each[3])
    assert [(topic, at_ms, key, value) for _, key, value, at_ms in found] == sent
    assert all(partition == partition_of(key or b"", PARTITIONS) for partition, key, _, _ in found)


def test_failures_are_told_by_their_place(kafka: Broker, topic: str, backend: str) -> None:
    sent = batch(topic)[:5]
    sent[3] = (topic, NOON, b"acme/3", bytes(1_050_000))
    properties = {"linger.ms": 0, "batch.num.messages": 1, "compression.type": "none"}
    with closing(BACKENDS[backend].open_batch_producer(a_producer(kafka.bootstrap_servers, **properties))) as producer:
        assert producer.produce(sent, 0, 5) == 5
        wait_settled(producer)
        assert [(place, error.code()) for place, error in producer.failures] == [(3, KafkaError.MSG_SIZE_TOO_LARGE)]


def test_record_that_the_library_refuses_is_a_failure(kafka: Broker, topic: str, backend: str) -> None:
    sent = [(topic, NOON, b"acme/1", bytes(2_000_000)), *batch(topic)[:1]]
    with closing(BACKENDS[backend].open_batch_producer(a_producer(kafka.bootstrap_servers))) as producer:
        assert producer.produce(sent, 0, 2) == 2
        wait_settled(producer)
        assert [(place, error.code()) for place, error in producer.failures] == [(0, KafkaError.MSG_SIZE_TOO_LARGE)]


def test_full_queue_takes_the_rest_later(kafka: Broker, topic: str, backend: str) -> None:
    sent = batch(topic)
    producer = a_producer(kafka.bootstrap_servers, **{"queue.buffering.max.messages": 300})
    with closing(BACKENDS[backend].open_batch_producer(producer)) as batches:
        taken = batches.produce(sent, 0, RECORDS)
        assert taken == 300
        deadline = time.monotonic() + 30
        while taken < RECORDS and time.monotonic() < deadline:
            batches.wait(0.1)
            taken = batches.produce(sent, taken, RECORDS)
        wait_settled(batches)
        assert batches.failures == []
    assert sum(1 for _ in records_in(kafka.bootstrap_servers, topic)) == RECORDS


def test_errors_and_log_lines_of_the_library_are_logged(backend: str, caplog: pytest.LogCaptureFixture) -> None:
    producer = BACKENDS[backend].open_batch_producer(a_producer("127.0.0.1:1"))
    with closing(producer), caplog.at_level(logging.DEBUG, CLIENT_LIBRARY):
        assert producer.produce([("t", NOON, b"k", b"v")], 0, 1) == 1
        deadline = time.monotonic() + 20
        while "_ALL_BROKERS_DOWN" not in caplog.text and time.monotonic() < deadline:
            assert not producer.wait(0.2)
    assert "_ALL_BROKERS_DOWN" in caplog.text
    assert "Connection refused" in caplog.text
