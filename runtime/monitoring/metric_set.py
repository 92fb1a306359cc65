"""Prometheus metrics made from their specs, with the series of known labels at 0 from the start."""

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import TypeVar

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

from runtime.monitoring.metric_spec import CounterSpec, GaugeSpec, HistogramSpec, Label, MetricSpec

Family = TypeVar("Family", bound=MetricWrapperBase)


class MetricSet:
    """The metrics of a process, and those of the operating system about it, on one registry.

    `label_values` are the values of labels that the specs leave open.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        specs: Iterable[MetricSpec],
        label_values: Mapping[Label, tuple[str, ...]] | None = None,
    ) -> None:
        self._registry = registry
        self._counters: dict[MetricSpec, Counter] = {}
        self._gauges: dict[MetricSpec, Gauge] = {}
        self._histograms: dict[MetricSpec, Histogram] = {}
        for spec in specs:
            _start_at_zero(self._create(spec), spec, label_values or {})
        ProcessCollector(registry=registry)

    def _create(self, spec: MetricSpec) -> MetricWrapperBase:
        match spec:
            case CounterSpec():
                return self._counters.setdefault(spec, create_counter(spec, self._registry))
            case GaugeSpec():
                return self._gauges.setdefault(spec, create_gauge(spec, self._registry))
            case HistogramSpec():
                return self._histograms.setdefault(spec, create_histogram(spec, self._registry))
        raise TypeError(f"{spec.name} is neither counter, gauge nor histogram")

    def count(self, counter: CounterSpec, *labels: str, by: float = 1) -> None:
        """Increase a counter."""
        _series(self._counters[counter], labels).inc(by)

    def series(self, counter: CounterSpec, *labels: str) -> Counter:
        """Return one series of a counter, to increase it often."""
        return _series(self._counters[counter], labels)

    def set(self, gauge: GaugeSpec, value: float, *labels: str | int) -> None:
        """Set a gauge."""
        _series(self._gauges[gauge], labels).set(value)

    def observe(self, histogram: HistogramSpec, value: float, *labels: str) -> None:
        """Add one value to a histogram."""
        _series(self._histograms[histogram], labels).observe(value)

    def watch(self, gauge: GaugeSpec, value: Callable[[], float]) -> None:
        """Read a gauge's value at each scrape, on the scrape's thread."""
        self._gauges[gauge].set_function(value)

    def remove_label(self, label: Label, value: str | int) -> None:
        """Remove the series with this value from every gauge that has the label alone."""
        for spec, gauge in self._gauges.items():
            if spec.labels == (label,):
                gauge.remove(value)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return exposition(self._registry)


def create_counter(spec: CounterSpec, registry: CollectorRegistry | None) -> Counter:
    """Create a counter."""
    return Counter(spec.name, spec.help, spec.label_names, registry=registry)


def create_gauge(spec: GaugeSpec, registry: CollectorRegistry | None) -> Gauge:
    """Create a gauge, set to its initial value."""
    gauge = Gauge(spec.name, spec.help, spec.label_names, registry=registry)
    if not spec.labels:
        gauge.set(spec.initial)
    return gauge


def create_histogram(spec: HistogramSpec, registry: CollectorRegistry | None) -> Histogram:
    """Create a histogram."""
    return Histogram(spec.name, spec.help, spec.label_names, registry=registry, buckets=spec.buckets)


def exposition(registry: CollectorRegistry) -> bytes:
    """Return a registry's metrics in Prometheus' text format, without the `_created` series of the library."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library lacks the type
    return generate_latest(registry)


def _series(family: Family, labels: tuple[str | int, ...]) -> Family:
    return family.labels(*labels) if labels else family


def _start_at_zero(metric: MetricWrapperBase, spec: MetricSpec, label_values: Mapping[Label, tuple[str, ...]]) -> None:
    """Create every series whose labels are known, so that Prometheus sees its first increase."""
    for labels in product(*(label_values.get(label, label.values) for label in spec.labels)):
        if labels:
            metric.labels(*labels)
