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
from consumer.monitoring.metrics import (
    AGE_BUCKETS,
    PREFIX,
    AgeHistogram,
    Metrics,
    RebalanceType,
    Stage,
    TransactionResult,
)
from consumer.state.store import StateSize

CATALOGUE = {
    "records_consumed",
    "clicks",
    "actions",
    "dead_letters",
    "batch_seconds",
    "batch_records",
    "click_age_seconds",
    "clicks_lost",
    "lag_records",
    "partitions_assigned",
    "rebalances",
    "restore_records",
    "restore_remaining_records",
    "transactions",
    "last_commit_timestamp_seconds",
    "last_progress_timestamp_seconds",
    "definitions_read",
    "clicks_without_actions",
    "state_keys",
    "state_memory_bytes",
    "state_disk_bytes",
    "build_info",
}


def counts(consumed: int = 3, **clicks: int) -> BatchCounts:
    return BatchCounts(
        consumed=consumed,
        clicks=Counter(clicks or {"applied": 1, "duplicate": 1, "dead_lettered": 1}),
        actions=Counter({("set_field", "applied"): 1}),
        dead_letters=Counter({"truncated": 1}),
    )


def test_clicks_on_undefined_links_are_told_apart_from_links_that_ask_for_nothing() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, kinds=[], versions={"python": "3"})
    metrics.count_batch(BatchCounts(5, Counter(without_actions=5), undefined=2) + BatchCounts(1, Counter(applied=1)))
    name = f"{PREFIX}_clicks_without_actions_total"

    assert registry.get_sample_value(name, {"reason": "undefined_link"}) == 2
    assert registry.get_sample_value(name, {"reason": "no_actions"}) == 3
    assert not BatchCounts(1, Counter(without_actions=1), undefined=2).balanced


class Interrupted(CollectorRegistry):
    """A registry of which a scrape is halfway done when `meanwhile` happens on another thread, if it may."""

    meanwhile: Callable[[], None]

    def collect(self) -> Iterator[Metric]:
        for number, metric in enumerate(super().collect()):
            yield metric
            if number == 0:
                self.thread = Thread(target=self.meanwhile)
                self.thread.start()
                self.thread.join(0.2)


def test_a_page_that_is_read_while_a_batch_is_counted_adds_up() -> None:
    registry = Interrupted()
    metrics = Metrics(registry, kinds=[], versions={"python": "3"})
    registry.meanwhile = lambda: metrics.count_batch(counts())

    pages = []
    for _ in range(2):
        pages.append(sums(metrics.page()))
        registry.thread.join()

    assert pages == [(0, 0), (3, 3)]


def sums(page: bytes) -> tuple[float, float]:
    """Return how many records were consumed, and the sum of their outcomes."""
    samples = [each for family in text_string_to_metric_families(page.decode()) for each in family.samples]
    consumed, outcomes = (
        sum(each.value for each in samples if each.name == f"{PREFIX}_{name}")
        for name in ("records_consumed_total", "clicks_total")
    )
    return consumed, outcomes


class Scraped:
    """Metrics, and what a scrape of them shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, kinds=["set_field"], versions={"link-actions": "1", "python": "3"})

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"{PREFIX}_{name}", labels)


def test_the_counts_of_two_batches_add_up() -> None:
    both = counts() + counts(consumed=2, rerouted=2)

    assert both.consumed == 5
    assert both.clicks == {"applied": 1, "duplicate": 1, "dead_lettered": 1, "rerouted": 2}
    assert both.actions == {("set_field", "applied"): 2}
    assert both.dead_letters == {"truncated": 2}


def test_adding_leaves_both_as_they_were() -> None:
    one, other = counts(), counts()
    _ = one + other

    assert one == other == counts()


def test_counts_are_balanced_when_each_record_has_one_outcome() -> None:
    assert BatchCounts().balanced
    assert counts().balanced
    assert not counts(consumed=4).balanced
    assert not counts(consumed=3, applied=3).balanced


def test_the_catalogue_is_what_a_scrape_shows() -> None:
    text = Scraped().metrics.page().decode()
    names = {family.name for family in text_string_to_metric_families(text)}
    ours = {name.removeprefix(f"{PREFIX}_") for name in names if name.startswith(PREFIX)}

    assert ours == CATALOGUE


@pytest.mark.parametrize("name", ["last_commit_timestamp_seconds", "last_progress_timestamp_seconds"])
def test_a_time_that_has_not_come_is_not_a_number(name: str) -> None:
    scraped = Scraped()
    before = scraped.value(name)
    scraped.metrics.note_commit(1_700_000_000)
    scraped.metrics.note_progress(1_700_000_000)

    assert before is not None
    assert isnan(before)
    assert scraped.value(name) == 1_700_000_000


def test_every_metric_says_what_it_means() -> None:
    text = Scraped().metrics.page().decode()

    assert all(family.documentation for family in text_string_to_metric_families(text))


def test_a_batch_is_counted_by_outcome_kind_and_reason() -> None:
    scraped = Scraped()
    scraped.metrics.count_batch(counts() + counts())

    assert scraped.value("records_consumed_total") == 6
    assert scraped.value("clicks_total", outcome="applied") == 2
    assert scraped.value("clicks_total", outcome="rerouted") == 0
    assert scraped.value("actions_total", kind="set_field", outcome="applied") == 2
    assert scraped.value("dead_letters_total", reason="truncated") == 2
    assert scraped.value("batch_records_sum") == 6


def test_series_that_can_be_known_start_at_zero() -> None:
    scraped = Scraped()

    assert scraped.value("actions_total", kind="set_field", outcome="no_person") == 0
    assert scraped.value("dead_letters_total", reason="unknown_schema") == 0
    assert scraped.value("transactions_total", result="unknown") == 0
    assert scraped.value("rebalances_total", type="revoked") == 0
    assert scraped.value("build_info", link_actions="1", python="3") == 1


def test_stages_transactions_rebalances_and_restoring_are_noted() -> None:
    scraped = Scraped()
    metrics = scraped.metrics
    metrics.observe_stage(Stage.DECIDE, 0.25)
    metrics.count_transaction(TransactionResult.COMMITTED)
    metrics.note_commit(1_700_000_000.5)
    metrics.count_rebalance(RebalanceType.ASSIGNED, assigned=3)
    metrics.count_restored(100)
    metrics.set_remaining(2, 50)
    metrics.set_lag(2, 7)
    metrics.count_definitions(5)

    assert scraped.value("batch_seconds_sum", stage="decide") == 0.25
    assert scraped.value("transactions_total", result="committed") == 1
    assert scraped.value("last_commit_timestamp_seconds") == 1_700_000_000.5
    assert scraped.value("rebalances_total", type="assigned") == 1
    assert scraped.value("partitions_assigned") == 3
    assert scraped.value("restore_records_total") == 100
    assert scraped.value("restore_remaining_records", partition="2") == 50
    assert scraped.value("lag_records", partition="2") == 7
    assert scraped.value("definitions_read_total") == 5


def test_what_the_state_takes_is_asked_for_at_each_scrape() -> None:
    scraped, sizes = Scraped(), [StateSize(1, 2, 3)]
    scraped.metrics.watch_state(lambda: sizes[-1])
    sizes.append(StateSize(keys=7, memory_bytes=8, disk_bytes=9))

    assert scraped.value("state_keys") == 7
    assert scraped.value("state_memory_bytes") == 8
    assert scraped.value("state_disk_bytes") == 9


def test_a_partition_that_went_elsewhere_leaves_no_series() -> None:
    scraped = Scraped()
    scraped.metrics.set_lag(2, 7)
    scraped.metrics.set_remaining(2, 1)
    scraped.metrics.forget_partition(2)
    scraped.metrics.forget_partition(9)

    assert scraped.value("lag_records", partition="2") is None
    assert scraped.value("restore_remaining_records", partition="2") is None


def test_ages_fall_into_the_bucket_whose_bound_they_do_not_exceed() -> None:
    registry = CollectorRegistry()
    histogram = AgeHistogram("age", "Ages.", registry)
    ages = np.array([-5.0, 0.25, 0.26, 10.0, 10.5, 99_999.0])
    histogram.observe(ages)
    histogram.observe(np.array([0.1]))

    for bound in AGE_BUCKETS:
        expected = float((np.maximum(np.append(ages, 0.1), 0) <= bound).sum())
        assert registry.get_sample_value("age_bucket", {"le": str(bound)}) == expected
    assert registry.get_sample_value("age_bucket", {"le": "+Inf"}) == 7
    assert registry.get_sample_value("age_count") == 7
    assert registry.get_sample_value("age_sum") == pytest.approx(ages[1:].sum() + 0.1)


def test_no_ages_change_nothing() -> None:
    registry = CollectorRegistry()
    histogram = AgeHistogram("age", "Ages.", registry)
    histogram.observe(np.array([]))

    assert registry.get_sample_value("age_count") == 0
