from collections import Counter
from collections.abc import Callable, Iterator
from math import isnan
from threading import Thread

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from consumer.decision.outcome import BatchCounts
from consumer.monitoring.metric_catalogue import (
    BATCH_SECONDS,
    CLICK_AGE,
    LAG,
    LAST_COMMIT,
    LAST_PROGRESS,
    RESTORE_REMAINING,
    TRANSACTIONS,
    Stage,
)
from consumer.monitoring.metrics import Metrics
from runtime.monitoring.collectors import ArrayHistogram
from runtime.monitoring.metric_spec import GaugeSpec
from runtime.monitoring.version import versions
from runtime.state.store import StateSize
from runtime.stream.observer import TransactionResult

PREFIX = "link_actions"


def counts(consumed: int = 3, **clicks: int) -> BatchCounts:
    return BatchCounts(
        consumed=consumed,
        clicks=Counter(clicks or {"applied": 1, "duplicate": 1, "dead_lettered": 1}),
        actions=Counter({("set_field", "applied"): 1}),
        dead_letters=Counter({"truncated": 1}),
    )


def test_clicks_without_actions_are_counted_by_reason() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, kinds=[], versions=versions())
    metrics.count_batch(BatchCounts(5, Counter(without_actions=5), undefined=2) + BatchCounts(1, Counter(applied=1)))
    name = f"{PREFIX}_clicks_without_actions_total"

    assert registry.get_sample_value(name, {"reason": "undefined_link"}) == 2
    assert registry.get_sample_value(name, {"reason": "no_actions"}) == 3
    assert not BatchCounts(1, Counter(without_actions=1), undefined=2).balanced


class Interrupted(CollectorRegistry):
    """A registry that runs `meanwhile` on another thread in the middle of each scrape, unless a lock prevents it."""

    meanwhile: Callable[[], None]

    def collect(self) -> Iterator[Metric]:
        for number, metric in enumerate(super().collect()):
            yield metric
            if number == 0:
                self.thread = Thread(target=self.meanwhile)
                self.thread.start()
                self.thread.join(0.2)


def test_scrape_during_count_batch_adds_up() -> None:
    """A scrape has the counts of a batch as a whole or not at all."""
    registry = Interrupted()
    metrics = Metrics(registry, kinds=[], versions=versions())
    registry.meanwhile = lambda: metrics.count_batch(counts())

    scrapes = []
    for _ in range(2):
        scrapes.append(sums(metrics.exposition()))
        registry.thread.join()

    assert scrapes == [(0, 0), (3, 3)]


def sums(exposition: bytes) -> tuple[float, float]:
    """Return the number of consumed records and the sum of their outcomes."""
    samples = [each for family in text_string_to_metric_families(exposition.decode()) for each in family.samples]
    consumed, outcomes = (
        sum(each.value for each in samples if each.name == f"{PREFIX}_{name}")
        for name in ("records_consumed_total", "clicks_total")
    )
    return consumed, outcomes


class Scraped:
    """Metrics and the values that a scrape shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(
            self.registry, kinds=["set_field"], versions={"link-actions": "1", "librdkafka": "2", "python": "3"}
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"{PREFIX}_{name}", labels)


def test_counts_of_two_batches_add_up() -> None:
    both = counts() + counts(consumed=2, rerouted=2)

    assert both.consumed == 5
    assert both.clicks == {"applied": 1, "duplicate": 1, "dead_lettered": 1, "rerouted": 2}
    assert both.actions == {("set_field", "applied"): 2}
    assert both.dead_letters == {"truncated": 2}


def test_adding_counts_changes_neither() -> None:
    one, other = counts(), counts()
    _ = one + other

    assert one == other == counts()


def test_counts_are_balanced_if_each_record_has_one_outcome() -> None:
    assert BatchCounts().balanced
    assert counts().balanced
    assert not counts(consumed=4).balanced
    assert not counts(consumed=3, applied=3).balanced


@pytest.mark.parametrize("gauge", [LAST_COMMIT, LAST_PROGRESS])
def test_timestamp_is_nan_until_it_is_set(gauge: GaugeSpec) -> None:
    scraped = Scraped()
    before = scraped.registry.get_sample_value(gauge.name)
    scraped.metrics.set(gauge, 1_700_000_000)

    assert before is not None
    assert isnan(before)
    assert scraped.registry.get_sample_value(gauge.name) == 1_700_000_000


def test_batch_is_counted_by_outcome_kind_and_reason() -> None:
    scraped = Scraped()
    scraped.metrics.count_batch(counts() + counts())

    assert scraped.value("records_consumed_total") == 6
    assert scraped.value("clicks_total", outcome="applied") == 2
    assert scraped.value("clicks_total", outcome="rerouted") == 0
    assert scraped.value("actions_total", kind="set_field", outcome="applied") == 2
    assert scraped.value("dead_letters_total", reason="truncated") == 2
    assert scraped.value("batch_records_sum") == 6


def test_known_series_start_at_zero() -> None:
    scraped = Scraped()

    assert scraped.value("actions_total", kind="set_field", outcome="no_person") == 0
    assert scraped.value("dead_letters_total", reason="unknown_schema") == 0
    assert scraped.value("transactions_total", result="unknown") == 0
    assert scraped.value("rebalances_total", type="revoked") == 0
    assert scraped.value("build_info", link_actions="1", librdkafka="2", python="3") == 1


def test_count_set_and_observe_take_label_values() -> None:
    scraped = Scraped()
    scraped.metrics.observe(BATCH_SECONDS, 0.25, Stage.DECIDE)
    scraped.metrics.count(TRANSACTIONS, TransactionResult.COMMITTED, by=2)
    scraped.metrics.set(LAG, 7, 2)

    assert scraped.value("batch_seconds_sum", stage="decide") == 0.25
    assert scraped.value("transactions_total", result="committed") == 2
    assert scraped.value("lag_records", partition="2") == 7


def test_state_size_is_read_at_each_scrape() -> None:
    scraped, sizes = Scraped(), [StateSize(1, 2, 3)]
    scraped.metrics.watch_state(lambda: sizes[-1])
    sizes.append(StateSize(keys=7, memory_bytes=8, disk_bytes=9))

    assert scraped.value("state_keys") == 7
    assert scraped.value("state_memory_bytes") == 8
    assert scraped.value("state_disk_bytes") == 9


def test_forgotten_partition_has_no_series() -> None:
    scraped = Scraped()
    scraped.metrics.set(LAG, 7, 2)
    scraped.metrics.set(RESTORE_REMAINING, 1, 2)
    scraped.metrics.set_clicks_lost(2, 3)
    scraped.metrics.forget_partition(2)
    scraped.metrics.forget_partition(9)

    assert scraped.value("lag_records", partition="2") is None
    assert scraped.value("restore_remaining_records", partition="2") is None
    assert scraped.value("clicks_lost_total", partition="2") is None


def test_age_falls_into_first_bucket_with_a_bound_not_below_it() -> None:
    registry = CollectorRegistry()
    histogram = ArrayHistogram(CLICK_AGE, registry)
    ages = np.array([-5.0, 0.25, 0.26, 10.0, 10.5, 99_999.0])
    histogram.observe(ages)
    histogram.observe(np.array([0.1]))

    for bound in CLICK_AGE.buckets:
        expected = float((np.maximum(np.append(ages, 0.1), 0) <= bound).sum())
        assert registry.get_sample_value(f"{CLICK_AGE.name}_bucket", {"le": str(bound)}) == expected
    assert registry.get_sample_value(f"{CLICK_AGE.name}_bucket", {"le": "+Inf"}) == 7
    assert registry.get_sample_value(f"{CLICK_AGE.name}_count") == 7
    assert registry.get_sample_value(f"{CLICK_AGE.name}_sum") == pytest.approx(ages[1:].sum() + 0.1)


def test_observing_no_ages_changes_nothing() -> None:
    registry = CollectorRegistry()
    histogram = ArrayHistogram(CLICK_AGE, registry)
    histogram.observe(np.array([]))

    assert registry.get_sample_value(f"{CLICK_AGE.name}_count") == 0
