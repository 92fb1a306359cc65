"""The metrics of one worker, made from the catalogue and updated once per batch, never per click."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

from consumer.decision.outcome import BatchCounts
from consumer.monitoring.collectors import ArrayHistogram, PartitionTotals
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
    CounterSpec,
    GaugeSpec,
    HistogramSpec,
    Label,
    MetricSpec,
)
from consumer.state.store import StateSize

Spec = TypeVar("Spec", bound=MetricSpec)
Family = TypeVar("Family", bound=MetricWrapperBase)

_WITH_OWN_COLLECTOR = (CLICK_AGE, CLICKS_LOST)


class Metrics:
    """The catalogue's metrics of one worker, and those of its process, on one registry.

    `kinds` are the kinds of action whose series exist from the start; `versions` are the labels of the build info.
    """

    def __init__(self, registry: CollectorRegistry, *, kinds: Iterable[str], versions: Mapping[str, str]) -> None:
        self._registry, self._counting = registry, Lock()
        self._counters = {spec: create_counter(spec, registry) for spec in _plain(CounterSpec)}
        self._gauges = {spec: create_gauge(spec, registry) for spec in _plain(GaugeSpec)}
        self._histograms = {
            spec: Histogram(spec.name, spec.help, spec.label_names, registry=registry, buckets=spec.buckets)
            for spec in _plain(HistogramSpec)
        }
        self._click_ages = ArrayHistogram(CLICK_AGE, registry)
        self._clicks_lost = PartitionTotals(CLICKS_LOST, registry)
        label_values = {KIND: tuple(kinds)}
        for spec, metric in (*self._counters.items(), *self._gauges.items(), *self._histograms.items()):
            _start_at_zero(metric, spec, label_values)
        ProcessCollector(registry=registry)
        self.set(BUILD, 1, *(versions[name.replace("_", "-")] for name in BUILD.label_names))

    def count(self, counter: CounterSpec, *labels: str, by: float = 1) -> None:
        """Increase a counter."""
        _series(self._counters[counter], labels).inc(by)

    def set(self, gauge: GaugeSpec, value: float, *labels: str | int) -> None:
        """Set a gauge."""
        _series(self._gauges[gauge], labels).set(value)

    def observe(self, histogram: HistogramSpec, value: float, *labels: str) -> None:
        """Add one value to a histogram."""
        _series(self._histograms[histogram], labels).observe(value)

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
        self._gauges[STATE_KEYS].set_function(lambda: size().keys)
        self._gauges[STATE_MEMORY].set_function(lambda: size().memory_bytes)
        self._gauges[STATE_DISK].set_function(lambda: size().disk_bytes)

    def forget_partition(self, partition: int) -> None:
        """Remove the series of a partition that another worker has now."""
        self._clicks_lost.remove(partition)
        for spec, gauge in self._gauges.items():
            if PARTITION in spec.labels:
                gauge.remove(partition)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format; the counts of a batch are in it as a whole or not at all."""
        with self._counting:
            return exposition(self._registry)


def create_counter(spec: CounterSpec, registry: CollectorRegistry | None) -> Counter:
    """Create a counter of the catalogue."""
    return Counter(spec.name, spec.help, spec.label_names, registry=registry)


def create_gauge(spec: GaugeSpec, registry: CollectorRegistry | None) -> Gauge:
    """Create a gauge of the catalogue, set to its initial value."""
    gauge = Gauge(spec.name, spec.help, spec.label_names, registry=registry)
    if not spec.labels:
        gauge.set(spec.initial)
    return gauge


def exposition(registry: CollectorRegistry) -> bytes:
    """Return a registry's metrics in Prometheus' text format, without the `_created` series of the library."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library lacks the type
    return generate_latest(registry)


def _plain(kind: type[Spec]) -> Iterator[Spec]:
    """Yield the worker's metrics of one type that need no collector of their own."""
    for spec in CATALOGUE:
        if isinstance(spec, kind) and spec.exported_by == "worker" and spec not in _WITH_OWN_COLLECTOR:
            yield spec


def _series(family: Family, labels: tuple[str | int, ...]) -> Family:
    return family.labels(*labels) if labels else family


def _start_at_zero(metric: MetricWrapperBase, spec: MetricSpec, label_values: Mapping[Label, tuple[str, ...]]) -> None:
    """Create every series whose labels are known, so that Prometheus sees its first increase."""
    for labels in product(*(label_values.get(label, label.values) for label in spec.labels)):
        if labels:
            metric.labels(*labels)
