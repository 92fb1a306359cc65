"""The metrics of one edge, made from its catalogue."""

from threading import Lock

import numpy as np
from prometheus_client import CollectorRegistry

from edge.exchange import Answer, AnswerKind
from edge.metric_catalogue import (
    ANSWER_SECONDS,
    ANSWERS,
    CATALOGUE,
    CLICKS,
    TOKENS,
    TOKENS_REFUSED,
)
from edge.recorder import Recording
from edge.token_refusal import TokenRefusal
from runtime.monitoring.collectors import ArrayHistogram
from runtime.monitoring.metric_set import MetricSet

_Counted = tuple[AnswerKind, int, int | None, TokenRefusal | None, Recording | None]
_MAX_SECONDS = 10_000
"""Times kept between two scrapes; more are counted before the next scrape."""


class EdgeMetrics(MetricSet):
    """The catalogue's metrics. An answer adds to a dict and a list; each scrape counts what they have gained."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry, [spec for spec in CATALOGUE if spec is not ANSWER_SECONDS])
        self._answer_seconds = ArrayHistogram(ANSWER_SECONDS, registry)
        self._seconds: list[float] = []
        self._answers: dict[_Counted, int] = {}
        self._counted: dict[_Counted, int] = {}
        self._counting = Lock()

    def answered(self, answer: Answer, recording: Recording | None, seconds: float) -> None:
        """Count an answer, its token, and the click behind it; on the event loop only."""
        answers, counted = self._answers, (answer.kind, answer.status, answer.key_id, answer.refusal, recording)
        answers[counted] = answers.get(counted, 0) + 1
        self._seconds.append(seconds)
        if len(self._seconds) >= _MAX_SECONDS:
            self._count()

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format; any thread may ask."""
        self._count()
        return super().exposition()

    def _count(self) -> None:
        with self._counting:
            seconds = self._seconds[:]
            del self._seconds[: len(seconds)]
            self._answer_seconds.observe(np.array(seconds))
            for counted, total in tuple(self._answers.items()):
                self._increase(counted, total - self._counted.get(counted, 0))
                self._counted[counted] = total

    def _increase(self, counted: "_Counted", by: int) -> None:
        kind, status, key_id, refusal, recording = counted
        self.count(ANSWERS, kind, str(int(status)), by=by)
        if key_id is not None:
            self.count(TOKENS, str(key_id), by=by)
        if refusal is not None:
            self.count(TOKENS_REFUSED, refusal, by=by)
        if recording is not None:
            self.count(CLICKS, recording, by=by)
