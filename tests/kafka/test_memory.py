"""The memory of a worker under pressure stays within the budget of docs/operations.md."""

from collections.abc import Iterable

import pytest

from deploy.kafka import PATIENT, KafkaProcess
from schemas.topics import LINK_CLICKS
from tests.builders import Record, a_link, an_action
from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.records import click_by, click_key, encode_click
from tests.support.worker import Worker

BUDGET_MIB = 400
QUIET, BURST = 100, 100 * 100
RICH = a_link(*(an_action("SetField", slot=slot, value="x" * 200) for slot in range(3)), link_id="rich")
HEAVY = a_link(*(an_action("SetField", slot=slot, value="x" * 2_000) for slot in range(16)), link_id="heavy")
NEARLY_ONE_MIB = 1_000_000
BEARS_ALL = {"LINK_ACTIONS_DEAD_LETTER_LIMIT": "1"}


def clicks_on(link: str, number: int, *, of: str = "r") -> Iterable[Record]:
    return (click_by(f"{of}-{each}", link) for each in range(number))


def assert_within_budget(worker: Worker) -> None:
    assert worker.is_running
    assert worker.peak_mib < BUDGET_MIB


def test_a_hundredfold_burst(deployment: Deployment) -> None:
    deployment.define(RICH)
    worker = deployment.start("a").wait_ready()
    with Flow(deployment, clicks_on("rich", 10**9, of="quiet"), per_second=QUIET) as flow:
        deployment.click(*clicks_on("rich", 6 * BURST, of="burst"))
    deployment.wait_done()

    assert_within_budget(worker)
    assert worker.metrics()["records_consumed_total",] == 6 * BURST + flow.published


def test_clicks_of_a_megabyte(deployment: Deployment) -> None:
    deployment.define(RICH)
    publisher, topic = deployment.publisher, deployment.topic(LINK_CLICKS)
    good = list(clicks_on("rich", 300))
    for number, click in enumerate(good):
        publisher.publish(topic, encode_click(click), click_key(click))
        publisher.publish(topic, bytes(NEARLY_ONE_MIB), click_key(click), partition=number % 4)
    publisher.finish()
    worker = deployment.start("a", settings=BEARS_ALL)
    deployment.wait_done()

    assert_within_budget(worker)
    assert_exact(deployment, good, dead_letters=len(good))


@pytest.mark.parametrize("kafka_process", [pytest.param(PATIENT, id="patient")], indirect=True)
def test_a_broker_that_stands_still(kafka_process: KafkaProcess, breakable_deployment: Deployment) -> None:
    deployment = breakable_deployment
    deployment.define(RICH)
    deployment.click(*clicks_on("rich", 3 * BURST))
    worker = deployment.start_steered("a", {"before.producer.flush.3": "halt"})
    worker.wait_event("point.reached")
    kafka_process.pause()
    worker.go_on()
    worker.wait_event("broker.lost")
    kafka_process.resume()
    deployment.wait_done()

    assert_within_budget(worker)
    assert_exact(deployment)


def test_all_clicks_on_one_link_that_asks_for_much(deployment: Deployment) -> None:
    deployment.define(HEAVY)
    deployment.click(*clicks_on("heavy", 3 * BURST))
    worker = deployment.start("a")
    deployment.wait_done()

    assert_within_budget(worker)
    assert worker.metrics()["actions_total", "set_field", "applied"] == 16 * 3 * BURST
