"""Publishes records past the spool, for a disk that refuses writes; on the event loop, without a thread."""

import asyncio
from collections.abc import Callable, Mapping

from edge.publisher import DeliveryError, ProducerFailed, SpoolProducer
from edge.spool.position import Position
from edge.spool.reader import Spooled
from edge.spool.record import SpooledRecord, SpooledTopic

_POLL_SECONDS = 0.002
MAX_WAITING = 1_000
"""Records that wait for the broker; one more is refused at once."""


class DirectPublisher:
    """Opens its producer when it is needed first."""

    def __init__(self, open_producer: Callable[[], SpoolProducer], topics: Mapping[SpooledTopic, str]) -> None:
        self._open_producer = open_producer
        self._topics = topics
        self._producer: SpoolProducer | None = None
        self._waiting = 0

    async def publish(self, record: SpooledRecord) -> bool:
        """Return whether the broker has acknowledged the record; cancelling gives up waiting for it only."""
        if self._waiting >= MAX_WAITING:
            return False
        acknowledged: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        try:
            return await self._produce(record, acknowledged)
        except ProducerFailed:
            self._producer = None
            return False
        finally:
            self._waiting -= 1

    async def _produce(self, record: SpooledRecord, acknowledged: "asyncio.Future[bool]") -> bool:
        producer = self._producer = self._producer or self._open_producer()

        def delivered(error: DeliveryError | None) -> None:
            if not acknowledged.done():
                acknowledged.set_result(error is None)

        if not producer.produce(self._topics[record.topic], Spooled(record, Position()), delivered):
            return False
        while not acknowledged.done():
            producer.poll(0)
            await asyncio.sleep(_POLL_SECONDS)
        return acknowledged.result()
