"""Publishes records outside the loop and counts confirmations and failures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from runtime.config.kafka_settings import KafkaSettings
from runtime.kafka.client import open_producer, producer_config

CONFIRM_SECONDS = 30.0
"""Time that a record may wait for its broker before it counts as failed."""

ANY_PARTITION = -1
"""The partitioner chooses: murmur2 of the key, random without a key."""


class Publisher:
    """Produces records and counts the results. Idempotent: a retry inside the library writes nothing twice."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self.confirmed = 0
        self.failed: Counter[str] = Counter()
        """Number of failed records by the broker's or the library's error."""
        self.unwritten: list[str] = []
        """Names of the failed records that had one."""

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
        """Produce one record; wait while the queue is full. `name` identifies it in `unwritten` if it fails."""
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
        """Wait until every record is confirmed or has failed."""
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
    """Open a publisher."""
    return Publisher(open_producer(producer_config(settings) | {"message.timeout.ms": int(CONFIRM_SECONDS * 1000)}))
