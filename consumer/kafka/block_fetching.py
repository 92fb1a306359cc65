"""Fetching into a block of memory: the clicks by a way of their own, all else by that of the binding."""

import math
import time

from confluent_kafka import Consumer

from consumer.kafka.fetching import BindingFetcher, Fetch
from consumer.kafka.librdkafka_consumer import DirectFetcher

_SLICE_SECONDS = 0.02
"""How long to wait for clicks between two looks at what else there is, such as a rebalance."""
_MOST_EVENTS = 100


class BlockFetcher:
    """Fetches through librdkafka's C interface. Implements `Fetcher`."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._binding = BindingFetcher(consumer, topic)
        self._direct = DirectFetcher(consumer, topic)

    def claim(self, partition: int) -> None:
        """Have the partition's clicks come the short way."""
        self._direct.claim(partition)

    def fetch(self, limit: int, timeout_seconds: float) -> Fetch:
        """Return what there is, as soon as there is something."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            found = self._binding.fetch(_MOST_EVENTS, 0)
            if any(found):
                return found
            left = max(deadline - time.monotonic(), 0.0)
            found = self._direct.fetch(limit, math.ceil(min(left, _SLICE_SECONDS) * 1000))
            if any(found) or left <= _SLICE_SECONDS:
                return found

    def close(self) -> None:
        """Let go of the queue that the clicks come through."""
        self._direct.close()
