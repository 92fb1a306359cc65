"""What `state repartition` asks about the group: what is left to do, with clicks deleted before anybody read them."""

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.kafka import Broker
from runtime.config.settings import Settings
from runtime.kafka.admin.connection import Connection
from runtime.kafka.admin.consumer_group import ConsumerGroup
from tests.support.waiting import wait_until

PARTITIONS = range(4)


def test_deleted_clicks_do_not_count_as_lag(kafka: Broker, topic_prefix: str) -> None:
    """Else more partitions would wait for ever for clicks that no worker can read."""
    topic, group = f"{topic_prefix}clicks", f"{topic_prefix}group"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.create_topics([NewTopic(topic, len(PARTITIONS), 1)])[topic].result()
    fill(kafka, topic, each=5)
    commit(kafka, group, topic, {1: 4, 3: 2})
    deleted = [TopicPartition(topic, partition, before) for partition, before in {1: 2, 2: 5, 3: 4}.items()]
    for future in admin.delete_records(deleted).values():
        future.result()
    watch = ConsumerGroup(Connection(Settings(bootstrap_servers=kafka.bootstrap_servers).kafka), group)

    assert watch.lag(topic, PARTITIONS) == {0: 5, 1: 1, 2: 0, 3: 1}
    assert watch.members() == 0
    admin.delete_topics([topic])[topic].result()


def fill(kafka: Broker, topic: str, *, each: int) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for partition in PARTITIONS:
        for _ in range(each):
            producer.produce(topic, b"click", partition=partition)
    wait_until(lambda: producer.flush(1.0) == 0, "delivery of the clicks")


def commit(kafka: Broker, group: str, topic: str, offsets: dict[int, int]) -> None:
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, *place) for place in offsets.items()], asynchronous=False)
    consumer.close()
