from collections.abc import Callable
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from runtime.kafka.publisher import Publisher

Callback = Callable[[KafkaError | None, Message], None]


class MemoryProducer:
    """Holds a few records; a broker takes them when it is polled, and refuses those with the key `refused`."""

    def __init__(self, room: int = 2) -> None:
        self.room = room
        self.queue: list[tuple[Callback, Any]] = []
        self.written: list[Any] = []

    def produce(self, topic: str, *, on_delivery: Callback, **record: Any) -> None:
        if record["key"] == b"impossible":
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "too large"))
        if len(self.queue) >= self.room:
            raise BufferError
        self.queue.append((on_delivery, (topic, record["key"])))

    def poll(self, timeout: float) -> int:
        if timeout:
            self.flush(timeout)
        return 0

    def flush(self, _timeout: float) -> int:
        for report, record in self.queue:
            refused = record[1] == b"refused"
            report(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "denied") if refused else None, Message())
            self.written += [] if refused else [record]
        self.queue = []
        return 0


def test_every_record_is_confirmed_with_a_small_queue() -> None:
    producer = MemoryProducer(room=2)
    publisher = Publisher(cast(Producer, producer))
    for number in range(7):
        publisher.publish("clicks", b"v", str(number).encode())
    publisher.finish()

    assert [key for _, key in producer.written] == [str(number).encode() for number in range(7)]
    assert publisher.confirmed == 7
    assert not publisher.failed


def test_unwritten_records_are_counted_by_error() -> None:
    publisher = Publisher(cast(Producer, MemoryProducer()))
    for key in (b"refused", b"a", b"impossible", b"refused", b"b"):
        publisher.publish("clicks", b"v", key)
    publisher.finish()

    assert publisher.confirmed == 2
    assert publisher.failed == {"denied": 2, "too large": 1}
