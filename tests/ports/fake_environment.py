"""The environment of the ports' tests on the in-memory fake."""

from dataclasses import dataclass

from runtime.fake_kafka.cluster import Draft, FakeCluster
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.fake_kafka.topic_reader import read_topic
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from runtime.fake_kafka.transactions import Producer
from runtime.ports import TransactionalConsumer
from tests.ports.environment import GROUP
from tests.turned_clock import TurnedClock


class FakeEnvironment:
    def __init__(self) -> None:
        self.cluster = FakeCluster(TurnedClock())
        self._topics = 0
        self._others = 0

    def create_topic(self, partitions: int = 2, *, max_message_bytes: int | None = None) -> str:
        self._topics += 1
        name = f"topic-{self._topics}"
        if max_message_bytes is None:
            self.cluster.create_topic(name, partitions)
        else:
            self.cluster.create_topic(name, partitions, max_message_bytes=max_message_bytes)
        return name

    def recreate_topic(self, topic: str) -> None:
        self.cluster.create_topic(topic, len(self.cluster.topic(topic).logs))

    def open_stream(self, topic: str, instance: str = "one") -> FakeTransactionalConsumer:
        return FakeTransactionalConsumer(self.cluster, topic, group_id=GROUP, transactional_id=instance)

    def open_reader(self, topic: str) -> FakeLogReader:
        return FakeLogReader(self.cluster, topic)

    def publish(self, topic: str, partition: int, *values: str) -> None:
        for value in values:
            self.cluster.append(topic, partition, Draft(b"key", value.encode()))

    def leave_open(self, topic: str, partition: int, value: str) -> "TwinTransaction":
        self._others += 1
        cluster, log = self.cluster, self.cluster.topic(topic).log(partition)
        producer = cluster.transactions.open_producer(f"other-{self._others}")
        cluster.transactions.append(producer, log, cluster.maker(topic, partition, Draft(b"key", value.encode())))
        return TwinTransaction(cluster, producer)

    def expire_member(self, stream: TransactionalConsumer) -> None:
        if not isinstance(stream, FakeTransactionalConsumer):
            raise TypeError(stream)
        for topic in self.cluster.topics:
            self.cluster.group(GROUP, topic).leave(stream.member_id)

    def committed_values(self, topic: str) -> dict[int, list[str]]:
        values: dict[int, list[str]] = {p: [] for p, _ in enumerate(self.cluster.topic(topic).logs)}
        for record in read_topic(self.cluster, topic):
            values[record.partition()].append((record.value() or b"").decode())
        return values

    def close(self) -> None:
        pass


@dataclass
class TwinTransaction:
    cluster: FakeCluster
    producer: Producer

    def commit(self) -> None:
        self.cluster.transactions.commit(self.producer)

    def abort(self) -> None:
        self.cluster.transactions.abort(self.producer)
