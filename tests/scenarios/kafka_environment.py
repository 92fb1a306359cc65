"""A real Kafka, for scripts."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, OffsetSpec

from runtime.kafka.backend import BACKENDS, best_backend
from runtime.kafka.client import (
    admin_config,
    open_admin,
    open_consumer,
    open_producer,
    worker_consumer_config,
    worker_producer_config,
)
from runtime.kafka.librdkafka_producer_py import produce_batch
from runtime.kafka.transactional_consumer import KafkaTransactionalConsumer
from runtime.ports import TransactionalConsumer
from tests.ports.kafka_environment import ENDS, SECONDS, SHORT_SESSION, KafkaEnvironment
from tests.scenarios.environment import BRIEF, SILENT, Snapshot
from tests.support.patience import stretched
from tests.support.waiting import wait_until

COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "1",
    "min.cleanable.dirty.ratio": "0.001",
    "max.compaction.lag.ms": "1",
}
SOON_TIMED_OUT = {"transaction.timeout.ms": 2_000}


class CutProducer:
    """A producer of the client library, whose request to end a transaction may never be sent."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self.is_cut = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def commit_transaction(self, timeout: float) -> None:
        if self.is_cut:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        self._producer.commit_transaction(timeout)


class KafkaScriptEnvironment(KafkaEnvironment):
    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        # The compiled backend takes a real producer only, not one that can be cut off.
        super().__init__(bootstrap_servers, prefix, replace(BACKENDS[best_backend()], produce_batch=produce_batch))
        self._producers: dict[TransactionalConsumer, CutProducer] = {}

    def open_stream(self, topic: str, instance: str = "one") -> KafkaTransactionalConsumer:
        settings = self._settings(instance)
        limits = SHORT_SESSION if instance == SILENT else {}
        consumer = open_consumer(worker_consumer_config(settings.kafka) | ENDS | limits)
        config = worker_producer_config(settings.kafka) | (SOON_TIMED_OUT if instance == BRIEF else {})

        def produce() -> Any:
            self._producers[stream] = CutProducer(open_producer(config))
            return self._producers[stream]

        stream = KafkaTransactionalConsumer(
            consumer,
            produce,
            open_admin(admin_config(settings.kafka)),
            topic,
            backend=self._backend,
        )
        self._opened.append(stream)
        return stream

    def settle(self, stream: TransactionalConsumer) -> None:
        # The next call of the stream reports a rejected record.
        with suppress(KafkaException, SystemError):
            self._producers[stream].flush(stretched(SECONDS))

    def lose_the_end(self, stream: TransactionalConsumer) -> None:
        self._producers[stream].is_cut = True

    def expire(self, topic: str, instance: str) -> None:
        wait_until(
            lambda: self._end(topic, stable=True) == self._end(topic, stable=False), f"end of what {instance} did"
        )

    def begin_compaction(self, topic: str) -> None:
        entries = [ConfigEntry(*each, incremental_operation=AlterConfigOpType.SET) for each in COMPACTED.items()]
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        self._admin.incremental_alter_configs([resource])[resource].result()

    def compact(self, topic: str) -> None:
        """A cleaner that runs every second does it; the segment that is written to is never compacted."""

        def is_compacted() -> bool:
            keys = Counter(message.key() for message in self._read(topic, "read_uncommitted"))
            return max(keys.values()) == 1

        wait_until(is_compacted, "compaction")

    def look(self, topic: str) -> Snapshot:
        return Snapshot(
            [text(message) for message in self._read(topic, "read_committed")],
            [text(message) for message in self._read(topic, "read_uncommitted")],
            self._end(topic, stable=True),
            self._end(topic, stable=False),
        )

    def _end(self, topic: str, *, stable: bool) -> int:
        level = IsolationLevel.READ_COMMITTED if stable else IsolationLevel.READ_UNCOMMITTED
        partition = TopicPartition(topic, 0)
        wanted = {partition: OffsetSpec.latest()}  # type: ignore[no-untyped-call]  # its stub lacks the types
        return int(self._admin.list_offsets(wanted, isolation_level=level)[partition].result().offset)

    def _read(self, topic: str, isolation: str) -> list[Message]:
        """Read up to the end offset for this isolation level."""
        config = {
            "group.id": "look",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "isolation.level": isolation,
        }
        consumer = Consumer({**config, "bootstrap.servers": self._servers, "enable.auto.commit": False})
        consumer.assign([TopicPartition(topic, 0, 0)])
        records: list[Message] = []
        try:
            while True:
                message = consumer.poll(stretched(SECONDS))
                if message is None or message.error() is not None:
                    return records
                records.append(message)
        finally:
            consumer.close()


def text(message: Message) -> str:
    return (message.value() or b"nothing").decode()
