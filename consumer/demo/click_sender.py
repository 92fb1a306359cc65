"""Sends the clicks in time-lapse, on a thread of its own, so that they flow while workers come and go."""

import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from consumer.demo.failure import DemoFailed
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.publication import Publication
from consumer.demo.sample import Sample

SHORTEST_SECONDS, LONGEST_SECONDS = 5.0, 12.0
"""How long the clicks flow; the campaign has twelve days."""
CLICKS_PER_SECOND = 4_000
"""On average, and up to the longest time: more clicks than that go faster."""
STEP_SECONDS = 0.02


class Publisher(Protocol):
    """Sends records and counts what became of them: that of Kafka, or its twin's."""

    @property
    def confirmed(self) -> int:
        """How many were written."""

    @property
    def failed(self) -> Mapping[str, int]:
        """How many were not written, by the reason."""

    def publish(self, topic: str, value: bytes | None, key: bytes | None, *, partition: int) -> None:
        """Send one record."""

    def finish(self) -> None:
        """Return once the fate of every record is known."""


class Sending:
    """One run through all publications, in their order and, shortened to some seconds, at their times.

    Use it as a context manager: leaving it early stops it.
    """

    def __init__(
        self, publications: Sequence[Publication], publisher: Publisher, topic: str, *, seconds: float
    ) -> None:
        self._publications = publications
        self._publisher = publisher
        self._topic = topic
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._send_all, name="sending", daemon=True)
        self.sent = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop where it is not done."""
        self._stopping.set()
        self._thread.join()

    @property
    def is_done(self) -> bool:
        """Whether everything is sent and confirmed."""
        return not self._thread.is_alive()

    def require_all_confirmed(self) -> None:
        """Raise DemoFailed where the broker did not take every record."""
        failed = self._publisher.failed
        if failed or self._publisher.confirmed < len(self._publications):
            reasons = ", ".join(failed) or "no answer"
            raise DemoFailed(
                f"The broker took {self._publisher.confirmed} of {len(self._publications)} records ({reasons})"
            )

    def _send_all(self) -> None:
        begun = time.monotonic()
        times = self._times_to_send()
        for publication, due in zip(self._publications, times, strict=True):
            while (early := due - (time.monotonic() - begun)) > 0 or self._stopping.is_set():
                if self._stopping.wait(min(max(early, 0.0), STEP_SECONDS)):
                    return
            self._publisher.publish(self._topic, publication.value, publication.key, partition=publication.partition)
            self.sent += 1
        self._publisher.finish()

    def _times_to_send(self) -> Sequence[float]:
        """Return when each is due, in seconds from now, rounded so that many go out at once."""
        first, last = self._publications[0].published_at, self._publications[-1].published_at
        scale = self._seconds / max(last - first, 1)
        return [
            round((publication.published_at - first) * scale / STEP_SECONDS) * STEP_SECONDS
            for publication in self._publications
        ]


def announce_sending(sample: Sample, publisher: Publisher, topic: str, narrator: ProgressReporter) -> Sending:
    """Prepare to send a sample, and say how long it will take."""
    seconds = min(max(sample.clicks / CLICKS_PER_SECOND, SHORTEST_SECONDS), LONGEST_SECONDS)
    narrator.say(
        f"{sample.clicks:,} clicks of 12 days begin to flow, in {seconds:g} seconds,"
        f" with {len(sample.broken)} broken records among them"
    )
    return Sending(sample.publications, publisher, topic, seconds=seconds)
