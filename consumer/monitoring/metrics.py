"""The metrics of one worker, made from the catalogue and updated once per batch, never per click."""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from consumer.decision.outcome import BatchCounts
from consumer.monitoring.metric_catalogue import (
    ACTIONS,
    BATCH_RECORDS,
    BUILD,
    CATALOGUE,
    CLICK_AGE,
    CLICKS,
    CLICKS_LOST,
    CLICKS_WITHOUT_ACTIONS,
    DEAD_LETTERS,
    KIND,
    PARTITION,
    RECORDS_CONSUMED,
    STATE_DISK,
    STATE_KEYS,
    STATE_MEMORY,
)
from runtime.monitoring.collectors import ArrayHistogram, PartitionTotals
from runtime.monitoring.metric_set import MetricSet
from runtime.state.store import StateSize

_WITH_OWN_COLLECTOR = (CLICK_AGE, CLICKS_LOST)


class Metrics(MetricSet):
    """The catalogue's metrics of one worker, and those of its process, on one registry.

    `kinds` are the kinds of action whose series exist from the start; `versions` are the labels of the build info.
    """

    def __init__(self, registry: CollectorRegistry, *, kinds: Iterable[str], versions: Mapping[str, str]) -> None:
        plain = [spec for spec in CATALOGUE if spec.exported_by == "worker" and spec not in _WITH_OWN_COLLECTOR]
        super().__init__(registry, plain, {KIND: tuple(kinds)})
        self._counting = Lock()
        self._click_ages = ArrayHistogram(CLICK_AGE, registry)
        self._clicks_lost = PartitionTotals(CLICKS_LOST, registry)
        self.set(BUILD, 1, *(versions[name.replace("_", "-")] for name in BUILD.label_names))

    def count_batch(self, counts: BatchCounts) -> None:
        """Add the counts of a batch. Call this after its transaction has committed: an aborted batch comes again."""
        with self._counting:
            self.count(RECORDS_CONSUMED, by=counts.consumed)
            self.observe(BATCH_RECORDS, counts.consumed)
            for outcome, number in counts.clicks.items():
                self.count(CLICKS, outcome, by=number)
            for reason, number in counts.without_actions.items():
                self.count(CLICKS_WITHOUT_ACTIONS, reason, by=number)
            for (kind, outcome), number in counts.actions.items():
                self.count(ACTIONS, kind, outcome, by=number)
            for dlq_reason, number in counts.dead_letters.items():
                self.count(DEAD_LETTERS, dlq_reason, by=number)

    def observe_click_ages(self, ages_seconds: NDArray[np.float64]) -> None:
        """Add the ages that the clicks of a batch had when it was committed."""
        self._click_ages.observe(ages_seconds)

    def set_clicks_lost(self, partition: int, total: int) -> None:
        """Set how many clicks of a partition were skipped over all time."""
        self._clicks_lost.set(partition, total)

    def watch_state(self, size: Callable[[], StateSize]) -> None:
        """Read the size of the state at each scrape; `size` is called on the scrape's thread."""
        self.watch(STATE_KEYS, lambda: size().keys)
        self.watch(STATE_MEMORY, lambda: size().memory_bytes)
        self.watch(STATE_DISK, lambda: size().disk_bytes)

    def forget_partition(self, partition: int) -> None:
        """Remove the series of a partition that another worker has now."""
        self._clicks_lost.remove(partition)
        self.remove_label(PARTITION, partition)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format; the counts of a batch are in it as a whole or not at all."""
        with self._counting:
            return super().exposition()
