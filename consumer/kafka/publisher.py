"""Publishing outside the loop, where each record is confirmed and counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from consumer.config.kafka_settings import KafkaSettings
from consumer.kafka.client import open_producer, producer_config

CONFIRM_SECONDS = 30.0
"""How long a record may wait for its broker before it counts as not published."""

ANY_PARTITION = -1
"""The partitioner chooses: murmur2 of the key, or any where there is none."""


class Publisher:
    """Sends records and counts what became of each. Idempotent: a retry inside the library writes nothing twice."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self.confirmed = 0
        self.failed: Counter[str] = Counter()
        """Records that were not written, by what the broker or the library said."""
        self.unwritten: list[str] = []
        """The names of those that had one."""

    def publish(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        *,
        headers: Sequence[tuple[str, bytes | None]] = (),
        partition: int = ANY_PARTITION,
        name: str | None = None,
    ) -> None:
        """Send one record; waits while the queue is full. One that has a name is told by it if it is not written."""
        count = self._count if name is None else partial(self._count, name=name)
        record: Mapping[str, Any] = {"value": value, "key": key, "headers": list(headers), "partition": partition}
        while True:
            try:
                self._producer.produce(topic, on_delivery=count, **record)
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                self._note(error.args[0], name)
                return
            else:
                self._producer.poll(0)
                return

    def finish(self) -> None:
        """Return once every record is confirmed or has failed."""
        while self._producer.flush(0.5):
            pass

    def _count(self, error: KafkaError | None, _message: Message, *, name: str | None = None) -> None:
        if error is None:
            self.confirmed += 1
        else:
            self._note(error, name)

    def _note(self, error: KafkaError, name: str | None) -> None:
        self.failed[error.str()] += 1
        if name is not None:
            self.unwritten.append(name)


def open_publisher(settings: KafkaSettings) -> Publisher:
    """Open a publisher to the brokers of the settings."""
    return Publisher(open_producer(producer_config(settings) | {"message.timeout.ms": int(CONFIRM_SECONDS * 1000)}))
