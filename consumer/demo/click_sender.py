"""Sends the clicks in time-lapse on its own thread, while workers stop and start."""

import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from consumer.demo.failure import DemoFailed
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.publication import Publication
from consumer.demo.sample import Sample

MIN_SECONDS, MAX_SECONDS = 5.0, 12.0
"""Time into which the twelve days of the campaign are compressed."""
CLICKS_PER_SECOND = 4_000
"""Average rate; it is higher if the clicks would take longer than the longest time."""
STEP_SECONDS = 0.02


class Publisher(Protocol):
    """Publishes records and counts the results: Kafka's publisher or its in-memory fake."""

    @property
    def confirmed(self) -> int:
        """Records that were written."""

    @property
    def failed(self) -> Mapping[str, int]:
        """Records that were not written, by reason."""

    def publish(self, topic: str, value: bytes | None, key: bytes | None, *, partition: int) -> None:
        """Publish one record."""

    def finish(self) -> None:
        """Wait until every record is written or has failed."""


class ClickSender:
    """Sends all publications once, in order and at their times scaled down to some seconds.

    A context manager: leaving it early stops the thread.
    """

    def __init__(
        self, publications: Sequence[Publication], publisher: Publisher, topic: str, *, seconds: float
    ) -> None:
        self._publications = publications
        self._publisher = publisher
        self._topic = topic
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send_all, name="sender", daemon=True)
        self.sent = 0

    def __enter__(self) -> Self:
        """Start sending."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop sending."""
        self._stopping.set()
        self._thread.join()

    @property
    def is_done(self) -> bool:
        """True once everything is sent and confirmed, or sending has stopped."""
        return not self._thread.is_alive()

    def require_all_confirmed(self) -> None:
        """Raise DemoFailed unless the broker confirmed every record."""
        failed = self._publisher.failed
        if failed or self._publisher.confirmed < len(self._publications):
            reasons = ", ".join(failed) or "no answer"
            raise DemoFailed(
                f"The broker confirmed {self._publisher.confirmed} of {len(self._publications)} records ({reasons})"
            )

    def _send_all(self) -> None:
        started = time.monotonic()
        times = self._times_to_send()
        for publication, due in zip(self._publications, times, strict=True):
            while (early := due - (time.monotonic() - started)) > 0 or self._stopping.is_set():
                if self._stopping.wait(min(max(early, 0.0), STEP_SECONDS)):
                    return
            self._publisher.publish(self._topic, publication.value, publication.key, partition=publication.partition)
            self.sent += 1
        self._publisher.finish()

    def _times_to_send(self) -> Sequence[float]:
        """Return the due time of each, in seconds from the start, rounded so that many are sent at once."""
        first, last = self._publications[0].published_at_ms, self._publications[-1].published_at_ms
        scale = self._seconds / max(last - first, 1)
        return [
            round((publication.published_at_ms - first) * scale / STEP_SECONDS) * STEP_SECONDS
            for publication in self._publications
        ]


def prepare_sender(sample: Sample, publisher: Publisher, topic: str, reporter: ProgressReporter) -> ClickSender:
    """Return a sender of the sample, and print how long it will take."""
    seconds = min(max(sample.clicks / CLICKS_PER_SECOND, MIN_SECONDS), MAX_SECONDS)
    reporter.say(
        f"sending {sample.clicks:,} clicks of 12 days in {seconds:g} seconds,"
        f" {len(sample.broken)} broken records among them"
    )
    return ClickSender(sample.publications, publisher, topic, seconds=seconds)
