"""Metadata of a topic that the broker has only just learned of."""

from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from consumer.loop.drain import Drain
from runtime.errors import Unavailable
from runtime.kafka.transactional_consumer import KafkaTransactionalConsumer
from runtime.ports import RetriableError


class Topic:
    partitions: dict[int, Any] = {}  # noqa: RUF012

    def __init__(self, error: KafkaError) -> None:
        self.error = error


class Metadata:
    def __init__(self, error: KafkaError) -> None:
        self.topics = {"clicks": Topic(error)}


class JustJoined:
    def __init__(self, code: int) -> None:
        self._error = KafkaError(code)

    def subscribe(self, *_: Any, **_named: Any) -> None:
        pass

    def list_topics(self, *_: Any, **_named: Any) -> Metadata:
        return Metadata(self._error)

    def committed(self, *_: Any, **_named: Any) -> list[Any]:
        return []


@pytest.mark.parametrize(
    ("code", "raised"),
    [(KafkaError.LEADER_NOT_AVAILABLE, RetriableError), (KafkaError.UNKNOWN_TOPIC_OR_PART, Unavailable)],
)
def test_topic_without_metadata_is_not_drained(code: int, raised: type[Exception]) -> None:
    stream = KafkaTransactionalConsumer(
        cast("Consumer", JustJoined(code)),
        lambda: cast("Producer", None),
        cast("AdminClient", None),
        "clicks",
    )
    with pytest.raises(raised):
        Drain(stream).is_done({})
