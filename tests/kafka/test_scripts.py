"""Clicks on links with scripts, through both workers on a real Kafka, which are killed meanwhile."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka import Broker
from schemas.topics import SCRIPT_DEAD_LETTERS, SCRIPT_RUNS
from tests.scripts.deployment import (
    clicks,
    define_scripts,
    kill_both_often,
    read,
    start_script_worker,
    verdict_of,
)
from tests.support.deployment import Deployment
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka

CLICKS = 600
KILLS = 3


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    define_scripts(deployment)
    yield deployment
    deployment.close()


def test_effects_are_exact_although_both_workers_are_killed(deployment: Deployment) -> None:
    kill_both_often(deployment, count=CLICKS, kills=KILLS)
    verdict = verdict_of(deployment)
    assert verdict.is_exact, (str(verdict), [*verdict.missing][:3], [*verdict.surplus][:3])
    assert verdict.expected > CLICKS / 2
    letters = read(deployment, SCRIPT_DEAD_LETTERS)
    assert letters
    assert {dict(each.headers)["dlq.reason"] for each in letters} <= {b"thrown", b"script_disabled"}


def test_several_processes_share_the_partitions_and_end_on_sigterm(deployment: Deployment) -> None:
    workers = start_script_worker(deployment, "several", "--workers", "2")
    wait_until(lambda: len(workers.assigned()) == deployment.partitions, "all partitions")
    deployment.click(*clicks(60))
    deployment.drain("clicks")
    wait_until(lambda: len(read(deployment, SCRIPT_RUNS)) == 60, "all runs")
    workers.send(signal.SIGTERM)
    assert workers.wait_exit() == 0
    assert verdict_of(deployment).is_exact
