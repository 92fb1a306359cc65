"""A plain producer that knows where its records went; it shares nothing with the program under test."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, Message, Producer

from tests.support.patience import stretched

FINISH_SECONDS = 60.0


class Publisher:
    """Publishes records and remembers, per topic and partition, the offset after its last one."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._ends: dict[str, dict[int, int]] = {}
        self._failed: list[KafkaError] = []

    def publish(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        *,
        partition: int = -1,
        headers: Sequence[tuple[str, bytes | None]] = (),
        timestamp: int = 0,
    ) -> None:
        """Hand one record over; partition -1 leaves it to the partitioner, timestamp 0 is now."""
        while True:
            try:
                self._producer.produce(
                    topic,
                    value,
                    key,
                    partition,
                    on_delivery=self._note,
                    timestamp=timestamp,
                    headers=list(headers),
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def finish(self) -> None:
        """Return once the broker has every record."""
        left = self._producer.flush(stretched(FINISH_SECONDS))
        assert not left, f"{left} records were not written in time"
        assert not self._failed, f"{len(self._failed)} records were refused, the first with {self._failed[0]}"

    def ends(self, topic: str) -> dict[int, int]:
        """Return the offset after the last record published here, by partition."""
        return dict(self._ends.get(topic, {}))

    def _note(self, error: KafkaError | None, message: Message) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if error is not None:
            self._failed.append(error)
        elif topic is not None and partition is not None and offset is not None:
            ends = self._ends.setdefault(topic, {})
            ends[partition] = max(ends.get(partition, 0), offset + 1)
