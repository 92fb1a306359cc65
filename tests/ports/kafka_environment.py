"""The environment of the ports' tests on a real Kafka."""

from dataclasses import dataclass
from functools import partial

from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from consumer.verify.reader import read_topic
from runtime.config.settings import Settings
from runtime.kafka.backend import Backend
from runtime.kafka.client import (
    admin_config,
    open_admin,
    open_consumer,
    open_producer,
    producer_config,
    reader_config,
    worker_consumer_config,
    worker_producer_config,
)
from runtime.kafka.log_reader import KafkaLogReader
from runtime.kafka.transactional_consumer import KafkaTransactionalConsumer
from runtime.ports import LogReader, TransactionalConsumer
from tests.ports.environment import GROUP
from tests.support.patience import stretched
from tests.support.waiting import wait_until

ENDS = {"enable.partition.eof": True}
SHORT_SESSION = {"session.timeout.ms": 1_000, "heartbeat.interval.ms": 300, "max.poll.interval.ms": 2_500}
SECONDS = 10.0


class KafkaEnvironment:
    """Prefixes the names of topics, group and transactional ids."""

    def __init__(self, bootstrap_servers: str, prefix: str, backend: Backend) -> None:
        self._backend = backend
        self._servers = bootstrap_servers
        self._prefix = prefix
        self._admin = open_admin(admin_config(self._settings("admin").kafka))
        self._publisher = open_producer(producer_config(self._settings("publisher").kafka))
        self._opened: list[KafkaTransactionalConsumer | KafkaLogReader] = []
        self._topics: list[str] = []
        self._others: list[KafkaTransaction] = []

    def create_topic(self, partitions: int = 2, *, max_message_bytes: int | None = None) -> str:
        name = f"{self._prefix}topic-{len(self._topics)}"
        self._topics.append(name)
        self._create(name, partitions, {"max.message.bytes": str(max_message_bytes)} if max_message_bytes else {})
        return name

    def recreate_topic(self, topic: str) -> None:
        partitions = len(self._admin.list_topics(topic, timeout=stretched(SECONDS)).topics[topic].partitions)
        self._admin.delete_topics([topic])[topic].result()
        wait_until(lambda: topic not in self._admin.list_topics(timeout=stretched(SECONDS)).topics, "end of the topic")
        self._create(topic, partitions, {})

    def open_stream(self, topic: str, instance: str = "one") -> KafkaTransactionalConsumer:
        settings = self._settings(instance)
        consumer = open_consumer(worker_consumer_config(settings.kafka) | ENDS | SHORT_SESSION)
        producer = partial(open_producer, worker_producer_config(settings.kafka))
        stream = KafkaTransactionalConsumer(
            consumer,
            producer,
            open_admin(admin_config(settings.kafka)),
            topic,
            backend=self._backend,
        )
        self._opened.append(stream)
        return stream

    def open_reader(self, topic: str) -> LogReader:
        settings = self._settings("reader")
        reader = KafkaLogReader(
            open_consumer(reader_config(settings.kafka) | ENDS), open_admin(admin_config(settings.kafka)), topic
        )
        self._opened.append(reader)
        return reader

    def publish(self, topic: str, partition: int, *values: str) -> None:
        for value in values:
            self._publisher.produce(topic, value.encode(), b"key", partition)
        if self._publisher.flush(stretched(SECONDS)):
            raise TimeoutError

    def leave_open(self, topic: str, partition: int, value: str) -> "KafkaTransaction":
        transaction = KafkaTransaction(
            open_producer(worker_producer_config(self._settings(f"other-{len(self._others)}").kafka))
        )
        self._others.append(transaction)
        transaction.open(topic, partition, value)
        return transaction

    def expire_member(self, stream: TransactionalConsumer) -> None:
        del stream  # Its session expires, because it does not poll while this waits.
        wait_until(lambda: not self._members(), "group without members")

    def committed_values(self, topic: str) -> dict[int, list[str]]:
        partitions = self._admin.list_topics(topic, timeout=stretched(SECONDS)).topics[topic].partitions
        values: dict[int, list[str]] = {partition: [] for partition in partitions}
        for seen in read_topic(self._servers, topic):
            values[seen.partition].append((seen.value or b"").decode())
        return values

    def close(self) -> None:
        for other in self._others:
            other.end()
        for opened in self._opened:
            opened.close()
        for future in self._admin.delete_topics(self._topics).values():
            future.result()

    def _create(self, name: str, partitions: int, config: dict[str, str]) -> None:
        self._admin.create_topics([NewTopic(name, partitions, 1, config=config)])[name].result()
        wait_until(lambda: self._is_led(name, partitions), f"leaders of {name}")

    def _is_led(self, name: str, partitions: int) -> bool:
        topic = self._admin.list_topics(timeout=stretched(SECONDS)).topics.get(name)
        return topic is not None and [p.leader >= 0 for p in topic.partitions.values()] == [True] * partitions

    def _members(self) -> int:
        group = f"{self._prefix}{GROUP}"
        return len(self._admin.describe_consumer_groups([group])[group].result().members)

    def _settings(self, instance: str) -> Settings:
        return Settings(
            bootstrap_servers=self._servers,
            group_id=f"{self._prefix}{GROUP}",
            instance_id=instance,
            topic_prefix=self._prefix,
        )


@dataclass
class KafkaTransaction:
    producer: Producer
    is_open: bool = False

    def open(self, topic: str, partition: int, value: str) -> None:
        self.producer.init_transactions(SECONDS)
        self.producer.begin_transaction()
        self.producer.produce(topic, value.encode(), b"key", partition)
        self.producer.flush(stretched(SECONDS))
        self.is_open = True

    def commit(self) -> None:
        self.producer.commit_transaction(SECONDS)
        self.is_open = False

    def abort(self) -> None:
        self.producer.abort_transaction(SECONDS)
        self.is_open = False

    def end(self) -> None:
        if self.is_open:
            self.abort()
