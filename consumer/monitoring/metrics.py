"""The catalogue of metrics: every name that `/metrics` shows, what it means, and the one place that writes it.

Everything is touched once per batch; nothing costs more for more clicks. The process's own metrics are beside them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import nan
from threading import Lock

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
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from consumer.decision.outcome import ActionOutcome, BatchCounts, ClickOutcome, NoActionsReason
from consumer.state.store import StateSize
from schemas.bad_record import Reason

PREFIX = "link_actions"

STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_BUCKETS = (1, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
AGE_BUCKETS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)


class Stage(StrEnum):
    """Where the time of one batch goes, in this order."""

    GATHER = "gather"
    DECIDE = "decide"
    PRODUCE = "produce"
    COMMIT = "commit"
    STORE = "store"


class TransactionResult(StrEnum):
    """How a transaction ended; unknown when the broker did not say in time."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


class RebalanceType(StrEnum):
    """What the group did to this worker's partitions."""

    ASSIGNED = "assigned"
    REVOKED = "revoked"


class AgeHistogram(Collector):
    """The histogram of click ages, fed with a whole batch at once.

    The library's own takes one value a call, which would be the one thing on the hot path that is done per click.
    """

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._edges = np.array(AGE_BUCKETS)
        # One tuple, replaced as a whole, so that a scrape from another thread sees counts and sum of the same batch.
        self._seen: tuple[NDArray[np.int64], float] = (np.zeros(len(AGE_BUCKETS) + 1, dtype=np.int64), 0.0)
        registry.register(self)

    def observe(self, ages_seconds: NDArray[np.float64]) -> None:
        """Count a batch of ages; those from a clock ahead of ours count as 0."""
        ages = np.maximum(ages_seconds, 0.0)
        counts = np.bincount(np.searchsorted(self._edges, ages, side="left"), minlength=len(AGE_BUCKETS) + 1)
        self._seen = (self._seen[0] + counts, self._seen[1] + float(ages.sum()))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram as Prometheus has it: each bucket holds those below it too."""
        counts, total = self._seen
        bounds = [*(str(edge) for edge in AGE_BUCKETS), "+Inf"]
        buckets = list(zip(bounds, np.cumsum(counts).tolist(), strict=True))
        family = HistogramMetricFamily(self._name, self._documentation)
        family.add_metric([], buckets=buckets, sum_value=total)
        yield family


class LostClicks(Collector):
    """Counters whose values the changelog carries, so that they go on where another worker's ended."""

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._lost: Mapping[int, int] = {}
        registry.register(self)

    def set(self, partition: int, offsets: int | None) -> None:
        """Take the total of a partition; None drops it."""
        others = {each: lost for each, lost in self._lost.items() if each != partition}
        self._lost = others if offsets is None else others | {partition: offsets}

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counters."""
        family = CounterMetricFamily(self._name, self._documentation, labels=["partition"])
        for partition, offsets in sorted(self._lost.items()):
            family.add_metric([str(partition)], offsets)
        yield family


class Metrics:
    """All metrics of one worker, on a registry of its own. `kinds` are those whose series exist from the start."""

    def __init__(self, registry: CollectorRegistry, *, kinds: Iterable[str], versions: Mapping[str, str]) -> None:
        self._registry, self._counting = registry, Lock()
        catalogue = _Catalogue(registry)
        counter, gauge, histogram = catalogue.counter, catalogue.gauge, catalogue.histogram
        self._records = counter("records_consumed_total", "Records taken from the clicks topic.")
        self._clicks = counter("clicks_total", "Records by what became of them; adds up to consumed.", "outcome")
        self._without = counter("clicks_without_actions_total", "Clicks without actions, by why.", "reason")
        self._actions = counter("actions_total", "Actions of clicks by what became of them.", "kind", "outcome")
        self._dead_letters = counter("dead_letters_total", "Dead letters by reason.", "reason")
        self._definitions = counter("definitions_read_total", "Link definitions read.")
        self._transactions = counter("transactions_total", "Transactions by how they ended.", "result")
        self._rebalances = counter("rebalances_total", "Rebalances by what they did.", "type")
        self._restored = counter("restore_records_total", "Changelog records read to restore the state.")
        self._stages = histogram("batch_seconds", "Time of one batch by stage.", STAGE_BUCKETS, "stage")
        self._batches = histogram("batch_records", "Records of one batch.", BATCH_BUCKETS)
        self._ages = AgeHistogram(f"{PREFIX}_click_age_seconds", "From the click to the commit.", registry)
        self._lost = LostClicks(f"{PREFIX}_clicks_lost_total", "Clicks skipped by decision, over all time.", registry)
        self._lag = gauge("lag_records", "Records that are not committed, control records included.", "partition")
        self._remaining = gauge("restore_remaining_records", "Changelog records still to read.", "partition")
        self._assigned = gauge("partitions_assigned", "Partitions this worker has.")
        self._committed_at = gauge("last_commit_timestamp_seconds", "When a transaction last committed; NaN before.")
        self._committed_at.set(nan)
        self._progress_at = gauge(
            "last_progress_timestamp_seconds",
            "When a batch was last committed or state restored, or nothing was left to do; at first the start.",
        )
        self._progress_at.set(nan)
        self._state_keys = gauge("state_keys", "Entries of the local state; of RocksDB an estimate.")
        self._state_memory = gauge("state_memory_bytes", "Memory that the local state takes, file pages left out.")
        self._state_disk = gauge("state_disk_bytes", "Disk that the local state takes.")
        self._build = gauge("build_info", "Versions of the program; always 1.", *map(_label, versions))
        ProcessCollector(registry=registry)
        self._start_at_zero(kinds)
        self._build.labels(*versions.values()).set(1)

    def count_batch(self, counts: BatchCounts) -> None:
        """Add what became of a batch. Call it once its transaction has committed, else the sums drift at each abort."""
        with self._counting:
            self._records.inc(counts.consumed)
            self._batches.observe(counts.consumed)
            for outcome, number in counts.clicks.items():
                self._clicks.labels(outcome).inc(number)
            for why, number in counts.without_actions.items():
                self._without.labels(why).inc(number)
            for (kind, outcome), number in counts.actions.items():
                self._actions.labels(kind, outcome).inc(number)
            for reason, number in counts.dead_letters.items():
                self._dead_letters.labels(reason).inc(number)

    def page(self) -> bytes:
        """Return all metrics as Prometheus reads them; no batch is counted meanwhile, so that its counts add up."""
        with self._counting:
            return page_of(self._registry)

    def observe_ages(self, ages_seconds: NDArray[np.float64]) -> None:
        """Note how old the clicks of a batch were when it committed."""
        self._ages.observe(ages_seconds)

    def observe_stage(self, stage: Stage, seconds: float) -> None:
        """Note how long one stage of one batch took."""
        self._stages.labels(stage).observe(seconds)

    def count_transaction(self, result: TransactionResult) -> None:
        """Count one transaction."""
        self._transactions.labels(result).inc()

    def note_commit(self, timestamp_seconds: float) -> None:
        """Note when a transaction committed, in seconds since 1970 UTC."""
        self._committed_at.set(timestamp_seconds)

    def note_progress(self, timestamp_seconds: float) -> None:
        """Note when something was last done, or nothing was left to do, in seconds since 1970 UTC."""
        self._progress_at.set(timestamp_seconds)

    def count_definitions(self, number: int) -> None:
        """Count link definitions that were read."""
        self._definitions.inc(number)

    def count_rebalance(self, rebalance: RebalanceType, *, assigned: int) -> None:
        """Count one rebalance; `assigned` is how many partitions the worker has after it."""
        self._rebalances.labels(rebalance).inc()
        self._assigned.set(assigned)

    def count_restored(self, records: int) -> None:
        """Count changelog records that were read."""
        self._restored.inc(records)

    def set_remaining(self, partition: int, records: int) -> None:
        """Note how many changelog records are still to come for one partition."""
        self._remaining.labels(partition).set(records)

    def watch_state(self, size: Callable[[], StateSize]) -> None:
        """Tell at each scrape what the state takes; `size` is called from another thread."""
        self._state_keys.set_function(lambda: size().keys)
        self._state_memory.set_function(lambda: size().memory_bytes)
        self._state_disk.set_function(lambda: size().disk_bytes)

    def set_lost(self, partition: int, offsets: int) -> None:
        """Note how many clicks of one partition were skipped by decision, over all time."""
        self._lost.set(partition, offsets)

    def set_lag(self, partition: int, records: int) -> None:
        """Note how far behind one partition is."""
        self._lag.labels(partition).set(records)

    def forget_partition(self, partition: int) -> None:
        """Drop what was noted of a partition that another worker has now."""
        self._lost.set(partition, None)
        self._lag.remove(partition)
        self._remaining.remove(partition)

    def _start_at_zero(self, kinds: Iterable[str]) -> None:
        """Make every series that can be known exist, so that its first increase is seen as one."""
        known: tuple[tuple[Counter | Histogram, type[StrEnum]], ...] = (
            (self._clicks, ClickOutcome),
            (self._without, NoActionsReason),
            (self._dead_letters, Reason),
            (self._transactions, TransactionResult),
            (self._rebalances, RebalanceType),
            (self._stages, Stage),
        )
        for metric, values in known:
            for value in values:
                metric.labels(value)
        for kind in kinds:
            for action_outcome in ActionOutcome:
                self._actions.labels(kind, action_outcome)


def page_of(registry: CollectorRegistry) -> bytes:
    """Return a registry's metrics as Prometheus reads them, without when each counter was made, a series apiece."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library lacks the type
    return generate_latest(registry)


@dataclass(frozen=True, slots=True)
class _Catalogue:
    registry: CollectorRegistry

    def counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", documentation, labels, registry=self.registry)

    def gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", documentation, labels, registry=self.registry)

    def histogram(self, name: str, documentation: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", documentation, labels, registry=self.registry, buckets=buckets)


def _label(name: str) -> str:
    return name.replace("-", "_")
