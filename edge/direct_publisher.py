"""Publishes records past the spool, for a disk that refuses writes; on the event loop, without a thread."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from edge.publisher import ProducerFailed
from edge.spool.record import SpooledRecord, SpooledTopic

_POLL_SECONDS = 0.002
MAX_WAITING = 1_000
"""Records that wait for the broker; one more is refused at once."""


OnDelivery = Callable[[bool], None]
"""Called once: with true if the broker has acknowledged the record, with false if it failed."""


class RecordProducer(Protocol):
    """An idempotent producer with acks=all and the partitioner of the Java client."""

    def produce(self, topic: str, record: SpooledRecord, on_delivery: OnDelivery) -> bool:
        """Queue the record, and return whether there was room. Raises ProducerFailed."""

    def poll(self) -> None:
        """Call `on_delivery` for what was acknowledged or failed."""


class DirectPublisher:
    """Opens its producer when it is needed first. One task polls it for all records that wait."""

    def __init__(self, open_producer: Callable[[], RecordProducer], topics: Mapping[SpooledTopic, str]) -> None:
        self._open_producer = open_producer
        self._topics = topics
        self._producer: RecordProducer | None = None
        self._waiting = 0
        self._polling: asyncio.Task[None] | None = None

    async def publish(self, record: SpooledRecord) -> bool:
        """Return whether the broker has acknowledged the record; cancelling gives up waiting for it only."""
        if self._waiting >= MAX_WAITING:
            return False
        acknowledged: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        try:
            return self._produce(record, acknowledged) and await acknowledged
        except ProducerFailed:
            self._producer = None
            return False
        finally:
            self._waiting -= 1

    def _produce(self, record: SpooledRecord, acknowledged: "asyncio.Future[bool]") -> bool:
        producer = self._producer = self._producer or self._open_producer()

        def settle(is_acknowledged: bool) -> None:  # noqa: FBT001 - a callback
            if not acknowledged.done():
                acknowledged.set_result(is_acknowledged)

        self._polling = self._polling or asyncio.create_task(self._poll())
        return producer.produce(self._topics[record.topic], record, settle)

    async def _poll(self) -> None:
        """Poll while a record waits; one whose producer has failed waits until its caller gives up."""
        try:
            while self._waiting:
                if self._producer:
                    self._producer.poll()
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            self._polling = None
