"""Edges that keep a click in Kafka alone: `python -m bench.edge.on_kafka await|queue edge run`.

`await` answers once the broker has acknowledged the click, `queue` once the client library has it in memory. All but
the keeping is that of link-actions.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Sequence
from threading import Thread

from confluent_kafka import KafkaError, Message, Producer

from bench.edge.topic import CLICKS
from cli.app import main
from edge import app
from edge.exchange import RecordedClick
from edge.recorder import Recorder, Recording

_CONFIG = {"partitioner": "murmur2_random", "enable.idempotence": True, "linger.ms": 1, "message.timeout.ms": 60_000}


class QueueRecorder(Recorder):
    """Hands a click to the client library."""

    def __init__(self, *arguments: object, **named: object) -> None:
        """Open a producer and the thread that hears from the broker; none of the arguments is needed."""
        del arguments, named
        self._producer = Producer({"bootstrap.servers": os.environ["LINK_ACTIONS_BOOTSTRAP_SERVERS"], **_CONFIG})
        Thread(target=self._poll, daemon=True).start()

    def __call__(self, click: RecordedClick) -> Recording | Awaitable[Recording]:
        """Record a click."""
        for record in click.records:
            self._producer.produce(CLICKS, record.value, record.key)
        return Recording.RECORDED

    def probe(self) -> None:
        """Do nothing: there is no spool to try."""

    def _poll(self) -> None:
        while True:
            self._producer.poll(1)


class AwaitRecorder(QueueRecorder):
    """Waits for the broker's acknowledgement."""

    def __call__(self, click: RecordedClick) -> Awaitable[Recording]:
        """Record a click."""
        return self._acknowledged(click)

    async def _acknowledged(self, click: RecordedClick) -> Recording:
        loop = asyncio.get_running_loop()
        acknowledged: Sequence[asyncio.Future[None]] = [loop.create_future() for _ in click.records]
        for record, future in zip(click.records, acknowledged, strict=True):

            def deliver(_error: KafkaError | None, _: Message, future: "asyncio.Future[None]" = future) -> None:
                loop.call_soon_threadsafe(future.set_result, None)

            self._producer.produce(CLICKS, record.value, record.key, on_delivery=deliver)
        await asyncio.gather(*acknowledged)
        return Recording.RECORDED


if __name__ == "__main__":
    app.Recorder = {"await": AwaitRecorder, "queue": QueueRecorder}[sys.argv.pop(1)]  # type: ignore[attr-defined]
    main()
