"""Latency from a click's publication until a read_committed reader sees its update."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from types import TracebackType
from typing import Self

from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from consumer.verify.reader import decode
from tests.builders import Record
from tests.support.deployment import Deployment
from tests.support.traffic import LINKS

ALWAYS = LINKS[-1]["link_id"]
"""The link whose clicks each cause exactly one update, which identifies the click."""
UPDATES = "crm-updates.script.v1"


class LatencyProbe:
    """Records when clicks on one link are published, and reads their updates in a separate thread."""

    def __init__(self, deployment: Deployment) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": deployment.servers,
                "group.id": f"{deployment.prefix}probe",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 10,
                "reconnect.backoff.max.ms": 500,
            }
        )
        topic = deployment.topic(UPDATES)
        self._consumer.assign([TopicPartition(topic, p, OFFSET_END) for p in range(deployment.partitions)])
        self._published: dict[str, float] = {}
        self._seen: list[float] = []
        self._lock = Lock()
        self._ended = Event()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        self._run_ended = self._pool.submit(self._run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._pool.shutdown()
        self._consumer.close()
        if error is None:
            self._run_ended.result()

    def noting(self, clicks: Iterable[Record]) -> Iterator[Record]:
        """Yield the clicks, each noted as published now."""
        for click in clicks:
            if click["link_id"] == ALWAYS:
                self._published[click["click_id"]] = time.monotonic()
            yield click

    def take(self) -> Sequence[float]:
        """Return the milliseconds of the updates that were seen since the last call."""
        with self._lock:
            seen, self._seen = self._seen, []
        return seen

    def _run(self) -> None:
        while not self._ended.is_set():
            message = self._consumer.poll(0.1)
            value = None if message is None or message.error() else message.value()
            if value is not None:
                self._note(value, time.monotonic())

    def _note(self, value: bytes, now: float) -> None:
        published = self._published.pop(decode("RunScript", value)["click_id"], None)
        if published is not None:
            with self._lock:
                self._seen.append((now - published) * 1000)
