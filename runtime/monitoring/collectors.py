"""Collectors for two metrics that the client library's own classes cannot do."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from runtime.monitoring.metric_spec import CounterSpec, HistogramSpec


class ArrayHistogram(Collector):
    """A histogram that takes the values of a whole batch in one call.

    The library's takes one value per call, which would be work per click.
    """

    def __init__(self, spec: HistogramSpec, registry: CollectorRegistry) -> None:
        self._spec = spec
        self._bounds = np.array(spec.buckets)
        # One tuple, replaced as a whole, so that a scrape on another thread sees counts and sum of the same batch.
        self._seen: tuple[NDArray[np.int64], float] = (np.zeros(len(spec.buckets) + 1, dtype=np.int64), 0.0)
        registry.register(self)

    def observe(self, values: NDArray[np.float64]) -> None:
        """Count the values; negative ones count as 0."""
        values = np.maximum(values, 0.0)
        buckets = np.searchsorted(self._bounds, values, side="left")
        counts, total = self._seen
        self._seen = counts + np.bincount(buckets, minlength=len(counts)), total + float(values.sum())

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram with cumulative buckets."""
        counts, total = self._seen
        bounds = [*(str(bound) for bound in self._spec.buckets), "+Inf"]
        buckets = list(zip(bounds, np.cumsum(counts).tolist(), strict=True))
        family = HistogramMetricFamily(self._spec.name, self._spec.help)
        family.add_metric([], buckets=buckets, sum_value=total)
        yield family


class PartitionTotals(Collector):
    """A counter per partition whose total the changelog carries from one owner of the partition to the next."""

    def __init__(self, spec: CounterSpec, registry: CollectorRegistry) -> None:
        self._spec = spec
        self._totals: Mapping[int, int] = {}
        registry.register(self)

    def set(self, partition: int, total: int) -> None:
        """Set the total of a partition."""
        self._totals = {**self._totals, partition: total}

    def remove(self, partition: int) -> None:
        """Remove the series of a partition, if there is one."""
        self._totals = {each: total for each, total in self._totals.items() if each != partition}

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counter."""
        family = CounterMetricFamily(self._spec.name, self._spec.help, labels=self._spec.label_names)
        for partition, total in sorted(self._totals.items()):
            family.add_metric([str(partition)], total)
        yield family
