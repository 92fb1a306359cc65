"""Clicks that are on the broker but invisible: in a transaction that stays open until they are wanted."""

from collections.abc import Iterable

from confluent_kafka import Producer

TRANSACTION_SECONDS = 900
"""The longest that a broker allows by default."""
_ANSWER_SECONDS = 60


class HeldClicks:
    """A worker that was started meanwhile has its state opened before the first of them comes."""

    def __init__(self, servers: str, topic: str) -> None:
        self._topic = topic
        config = {"bootstrap.servers": servers, "partitioner": "murmur2_random", "transactional.id": topic}
        limits = {"transaction.timeout.ms": TRANSACTION_SECONDS * 1000, "queue.buffering.max.messages": 1_000_000}
        self._producer = Producer({**config, **limits, "linger.ms": 50, "log_level": 2})

    def publish(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Send keys and values in this order."""
        self._producer.init_transactions(_ANSWER_SECONDS)
        self._producer.begin_transaction()
        for key, value in records:
            while True:
                try:
                    self._producer.produce(self._topic, value, key)
                except BufferError:
                    self._producer.poll(1)
                else:
                    break
        self._producer.flush()

    def release(self) -> None:
        """Let them be seen, all at once."""
        self._producer.commit_transaction(_ANSWER_SECONDS)
