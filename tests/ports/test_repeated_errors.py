"""A group that says the same thousands of times a second is quoted once in a while."""

from functools import partial

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient
from structlog.testing import capture_logs

from runtime.kafka.backend import Backend
from runtime.kafka.backend_ports import Fetch
from runtime.kafka.librdkafka_batches_py import BatchProducer
from runtime.kafka.librdkafka_producer_py import produce_batch
from runtime.kafka.transactional_consumer import KafkaTransactionalConsumer
from runtime.monitoring.log_throttle import REPEAT_SECONDS, LogThrottle

NOWHERE: dict[str, str | int | float | bool] = {"bootstrap.servers": "127.0.0.1:1"}


class FailingFetcher:
    """Fetches nothing but the same error."""

    def __init__(self, consumer: Consumer, topic: str) -> None: ...

    def attach(self, partition: int) -> None: ...

    def fetch(self, limit: int, timeout_seconds: float) -> Fetch:  # noqa: ARG002
        return [], [(-1, -1001, KafkaError(KafkaError.INCONSISTENT_GROUP_PROTOCOL))]

    def close(self) -> None: ...


def test_recurring_error_is_logged_once() -> None:
    stream = KafkaTransactionalConsumer(
        Consumer(NOWHERE | {"group.id": "g"}),
        partial(Producer, NOWHERE),
        AdminClient(NOWHERE),
        "clicks",
        backend=Backend(FailingFetcher, produce_batch, BatchProducer),
    )
    with capture_logs() as lines:
        for _ in range(1_000):
            stream.consume(1, 0.0)

    assert [line["event"] for line in lines] == ["consumer.disturbed"]
    assert "kafka-consumer-groups.sh" in (stream.refusal() or "")
    stream.close()


def test_throttle_allows_one_log_per_half_minute() -> None:
    times = iter([0.0, 1.0, REPEAT_SECONDS - 0.1, REPEAT_SECONDS, REPEAT_SECONDS + 1])
    repeats = LogThrottle(lambda: next(times))

    assert [repeats.is_due(what) for what in ("a", "b", "a", "a", "b")] == [True, True, False, True, True]
