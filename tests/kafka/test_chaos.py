"""The run with faults of every kind, kept short: `make chaos` has the real figures."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from confluent_kafka import Producer, TopicPartition

from deploy.kafka import KafkaMissing
from schemas.topics import LINK_HITS
from tests.chaos.environment import Environment
from tests.chaos.kind import Kind
from tests.chaos.plan import KINDS, Fault, Round, plan_rounds
from tests.chaos.report import report
from tests.chaos.run import run_rounds
from tests.chaos.verification import open_transactions
from tests.support.deployment import Deployment
from tests.support.outcome import read
from tests.support.waiting import wait_until

SEED = 1
PLAIN = "crm-updates.set-field.v1"


@pytest.mark.kafka
@pytest.mark.timeout(900)
def test_faults_of_every_kind_leave_everything_exact(tmp_path: Path, do_without: Callable[[str], NoReturn]) -> None:
    try:
        results = run_rounds(plan_rounds(len(KINDS), SEED), tmp_path, environ=os.environ, say=print)
    except KafkaMissing as reason:
        do_without(f"Cannot start a Kafka process: {reason}.")

    assert not [violation for result in results for violation in result.violations]
    struck = [each for result in results for each in result.struck]
    skipped = [kind for result in results for kind in result.skipped]
    assert {each.kind for each in struck} | set(skipped) == {kind.name for kind in KINDS}
    assert sum(each.was_open for each in struck) >= len(struck) // 2, report(results, seed=SEED, minutes=0)


@pytest.mark.kafka
def test_chaos_run_ends_at_lost_or_doubled_update(tmp_path: Path, do_without: Callable[[str], NoReturn]) -> None:
    planted = Round(1, [Fault(Kind("planted", double_and_lose), "a", 0)], seed=5)
    try:
        (result,) = run_rounds([planted, planted], tmp_path, environ=os.environ, say=print)
    except KafkaMissing as reason:
        do_without(f"Cannot start a Kafka process: {reason}.")

    found = " ".join(result.violations)
    assert "came twice" in found
    assert "1 doubled" in found
    assert "1 missing" in found


def double_and_lose(environment: Environment, _victim: str) -> bool:
    """Write an update once more, and delete the first one of another topic."""
    deployment = environment.deployment
    update = wait_until(lambda: read(deployment, PLAIN), "update of one topic")[0]
    deployment.publisher.publish(update.topic, update.value, update.key, headers=list(update.headers))
    deployment.publisher.finish()
    lost = wait_until(lambda: read(deployment, "crm-updates.interest.v1"), "update of another topic")[0]
    place = TopicPartition(lost.topic, lost.partition, lost.offset + 1)
    deployment.admin.delete_records([place])[place].result()
    return False


def test_a_transaction_that_is_left_open_is_noticed(deployment: Deployment) -> None:
    assert open_transactions(deployment) == []
    producer = Producer({"bootstrap.servers": deployment.servers, "transactional.id": deployment.prefix})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(deployment.topic(LINK_HITS), b"value", b"key", 2)
    producer.flush()

    (sentence,) = open_transactions(deployment)

    producer.abort_transaction()
    assert f"{deployment.topic(LINK_HITS)}', 2) from 0 on; the end is 1" in sentence
    wait_until(lambda: not open_transactions(deployment), "end of the transaction")
