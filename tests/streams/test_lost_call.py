"""Sending offsets while the group's coordinator is away, which the library forgets to end."""

from collections.abc import Iterator
from threading import enumerate as living_threads

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from consumer.kafka.bounded_call import call_within
from consumer.kafka.client import (
    open_consumer,
    open_producer,
    transactional_id,
    worker_consumer_config,
    worker_producer_config,
)
from consumer.settings import Settings
from consumer.streams import OutcomeUnknown
from tests.support.mock_cluster import MockCluster, mock_cluster
from tests.support.waiting import wait_until

SECONDS = 10.0


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster("clicks", partitions=1) as running:
        yield running


def open_transaction(producer: Producer, topic: str) -> None:
    producer.begin_transaction()
    producer.produce(topic, b"value")
    assert producer.flush(SECONDS) == 0


def send_offsets(producer: Producer, consumer: Consumer, topic: str) -> None:
    member = consumer.consumer_group_metadata()
    call_within(1.0, producer.send_offsets_to_transaction, [TopicPartition(topic, 0, 1)], member, 0.5)


def lost_calls() -> int:
    return sum(thread.name == "bounded-call" for thread in living_threads())


def test_a_client_whose_call_was_lost_goes_once_the_coordinator_is_back(cluster: MockCluster) -> None:
    """Else each restart of a broker under an open transaction leaves ten descriptors and five threads behind."""
    settings = Settings(bootstrap_servers=cluster.bootstrap_servers, group_id="group", instance_id="one")
    cluster.coordinate(group=settings.group_id, transactional_id=transactional_id(settings))
    consumer = open_consumer(worker_consumer_config(settings))
    producer = open_producer(worker_producer_config(settings))
    producer.init_transactions(SECONDS)
    # The library must know the coordinator: one that it has yet to find, it asks for anew by itself.
    open_transaction(producer, cluster.topic)
    send_offsets(producer, consumer, cluster.topic)
    producer.commit_transaction(SECONDS)

    open_transaction(producer, cluster.topic)
    cluster.take_coordinator_away()
    with pytest.raises(OutcomeUnknown):
        send_offsets(producer, consumer, cluster.topic)
    assert lost_calls() == 1
    cluster.bring_coordinator_back()
    wait_until(lambda: lost_calls() == 0, "end of the call")
    consumer.close()
