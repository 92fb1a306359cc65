"""The metrics of one edge, made from its catalogue."""

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry

from edge.exchange import Answer
from edge.metric_catalogue import (
    ANSWER_SECONDS,
    ANSWERS,
    CATALOGUE,
    CLICKS,
    TOKENS,
    TOKENS_REFUSED,
)
from edge.recorder import Recording
from runtime.monitoring.metric_set import MetricSet


class EdgeMetrics(MetricSet):
    """The catalogue's metrics. What each answer counts is looked up once per kind of answer, not per answer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry, CATALOGUE)
        self._counted: dict[tuple[Any, ...], Callable[[float], None]] = {}

    def answered(self, answer: Answer, recording: Recording | None, seconds: float) -> None:
        """Count an answer, its token, and the click behind it."""
        counted = (answer.kind, answer.status, answer.key_id, answer.refusal, recording)
        count = self._counted.get(counted)
        if count is None:
            count = self._counted[counted] = self._counter_of(answer, recording)
        count(seconds)

    def _counter_of(self, answer: Answer, recording: Recording | None) -> Callable[[float], None]:
        series = [self.series(ANSWERS, answer.kind, str(int(answer.status)))]
        if answer.key_id is not None:
            series.append(self.series(TOKENS, str(answer.key_id)))
        if answer.refusal is not None:
            series.append(self.series(TOKENS_REFUSED, answer.refusal))
        if recording is not None:
            series.append(self.series(CLICKS, recording))

        def count(seconds: float) -> None:
            self.observe(ANSWER_SECONDS, seconds)
            for each in series:
                each.inc()

        return count
