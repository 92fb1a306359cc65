"""`run --drain` exits once all clicks present at the start are done; the counts add up to them."""

from itertools import islice

from tests.builders import a_link
from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.records import click_by
from tests.support.traffic import LINKS, endless_clicks
from tests.support.worker import Worker

OUTCOMES = ("applied", "duplicate", "without_actions", "not_applicable", "test", "rerouted", "dead_lettered")


def test_a_drain_of_nothing_ends_at_once(deployment: Deployment) -> None:
    deployment.drain("a")
    assert_exact(deployment)


def test_two_workers_drain_together_and_both_end_well(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=1), 5_000))
    workers = [deployment.start(name, "--drain") for name in ("a", "b")]

    assert [worker.wait_exit() for worker in workers] == [0, 0]
    assert deployment.total_committed() == 5_000
    assert_exact(deployment)


def test_a_drain_ends_although_clicks_keep_coming(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=1), 1_000))
    with Flow(deployment, endless_clicks(seed=2), per_second=500):
        assert deployment.start("a", "--drain").wait_exit() == 0
        assert deployment.total_committed() >= 1_000
    deployment.drain("b")
    assert_exact(deployment)


def test_every_record_ends_in_exactly_one_count(deployment: Deployment) -> None:
    deployment.define(a_link(link_id="empty"), *LINKS)
    workers = [deployment.start(name) for name in ("a", "b")]
    clicks = [
        click_by("r-1", "empty"),
        click_by("r-1", "nobody defined this", link_version=None),
        click_by("r-1", "plain", person_id=None),
        click_by("r-1", "plain", test=True),
        *islice(endless_clicks(seed=1, recipients=100), 2_000),
    ]
    deployment.click(*clicks, click_by("r-1", "plain", clicked_at=0))
    deployment.wait_done()

    outcome = assert_exact(deployment, clicks, dead_letters=1)
    counted = {name: counted_by(workers, "clicks_total", name) for name in OUTCOMES}
    assert counted == {**dict.fromkeys(OUTCOMES, 0), **outcome.model.outcomes, "dead_lettered": 1}
    assert sum(counted.values()) == counted_by(workers, "records_consumed_total") == len(clicks) + 1
    assert counted_by(workers, "dead_letters_total", "timestamp_out_of_range") == 1
    for kind, result in outcome.model.actions:
        assert counted_by(workers, "actions_total", kind, result) == outcome.model.actions[kind, result]


def counted_by(workers: list[Worker], *sample: str) -> float:
    return sum(worker.metrics()[sample] for worker in workers)
