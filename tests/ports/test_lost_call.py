"""Sending offsets while the group's coordinator is away, which the library forgets to end."""

import json
from collections.abc import Iterator
from threading import enumerate as living_threads

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from runtime.config.settings import Settings
from runtime.kafka.bounded_call import call_within
from runtime.kafka.client import (
    open_consumer,
    open_producer,
    transactional_id,
    worker_consumer_config,
    worker_producer_config,
)
from runtime.ports import OutcomeUnknown
from tests.support.mock_cluster import COORDINATOR, MockCluster, mock_cluster
from tests.support.patience import stretched
from tests.support.waiting import wait_until

SECONDS = 10.0
CLIENTS = 6
"""Several, because the relative ages of a client's connections are random."""


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster("clicks", partitions=1) as running:
        yield running


class WatchedProducer:
    """The worker's producer, and what the library says of its connection to the coordinator."""

    def __init__(self, settings: Settings) -> None:
        self._coordinator_state = ""
        watched = {"statistics.interval.ms": 50, "stats_cb": self._note}
        self.producer = open_producer(worker_producer_config(settings.kafka) | watched)
        self.producer.init_transactions(SECONDS)

    def _note(self, statistics: str) -> None:
        brokers = json.loads(statistics)["brokers"].values()
        self._coordinator_state = next((known["state"] for known in brokers if known["nodeid"] == COORDINATOR), "gone")

    def sees_coordinator(self) -> bool:
        self.producer.poll(0)
        return self._coordinator_state == "UP"


def open_transaction(producer: Producer, topic: str) -> None:
    producer.begin_transaction()
    producer.produce(topic, b"value")
    assert producer.flush(stretched(SECONDS)) == 0


def send_offsets(producer: Producer, consumer: Consumer, topic: str, *, seconds: float = 0.5) -> None:
    member = consumer.consumer_group_metadata()
    call_within(2 * seconds, producer.send_offsets_to_transaction, [TopicPartition(topic, 0, 1)], member, seconds)


def lost_calls() -> int:
    return sum(thread.name == "bounded-call" for thread in living_threads())


def test_one_connection_stays_up_while_idle_ones_close() -> None:
    """Else there is none to ask for the coordinator: one call in six was lost for over 20 seconds, one for 168."""
    config = worker_producer_config(Settings(bootstrap_servers="nowhere:9092").kafka)
    looks_every_ms = 1_000  # the library looks at the age of its connections this often
    assert config["topic.metadata.refresh.interval.ms"] + looks_every_ms < config["connections.max.idle.ms"]


def test_abandoned_client_ends_once_coordinator_is_back(cluster: MockCluster) -> None:
    """Else each restart of a broker under an open transaction leaves ten descriptors and five threads behind."""
    settings = [
        Settings(bootstrap_servers=cluster.bootstrap_servers, group_id="group", instance_id=str(number))
        for number in range(CLIENTS)
    ]
    consumer = open_consumer(worker_consumer_config(settings[0].kafka))
    clients = []
    for one in settings:
        cluster.coordinate(group=one.group_id, transactional_id=transactional_id(one.kafka))
        client = WatchedProducer(one)
        # The library must know the coordinator: it keeps looking for one that it does not know yet.
        open_transaction(client.producer, cluster.topic)
        send_offsets(client.producer, consumer, cluster.topic, seconds=SECONDS)
        client.producer.commit_transaction(SECONDS)
        open_transaction(client.producer, cluster.topic)
        wait_until(client.sees_coordinator, "connection to the coordinator")
        clients.append(client)

    cluster.take_coordinator_away()
    for client in clients:
        # A call that is under way when the connection breaks fails at once.
        wait_until(lambda client=client: not client.sees_coordinator(), "end of the connection")  # type: ignore[misc]
        with pytest.raises(OutcomeUnknown):
            send_offsets(client.producer, consumer, cluster.topic, seconds=0.1)
    assert lost_calls() == CLIENTS
    cluster.bring_coordinator_back()
    # Ten seconds until an idle connection is closed, one until the library looks, and time to ask and connect.
    wait_until(lambda: lost_calls() == 0, lambda: f"end of {lost_calls()} calls")
    consumer.close()
