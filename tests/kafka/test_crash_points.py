"""A worker that dies at a point of its cycle, beside another one and while clicks flow: design, section 5."""

import pytest

from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until

KILLED = -9
ABORTS, UNKNOWN = 3, 3
"""At least: after an abort the library may ask for another one, for what it had to purge."""

DEATHS = {
    "while it writes and commits": [
        {"after.produce_batch.7": "die"},
        {"before.producer.flush.4": "die"},
        {"before.producer.send_offsets_to_transaction.4": "die"},
        {"before.producer.commit_transaction.4": "die"},
        {"after.producer.commit_transaction.4": "die"},
    ],
    "while it starts or recovers": [
        {"after.producer.init_transactions.1": "die"},
        {"before.resume.1": "die"},
        {"before.commit_transaction.4": "abort", "after.abort_transaction.1": "die"},
        {"after.producer.commit_transaction.4": "lose", "after.producer.init_transactions.2": "die"},
    ],
}


@pytest.mark.parametrize("deaths", DEATHS.values(), ids=DEATHS.keys())
def test_worker_crash_is_exactly_once(deployment: Deployment, deaths: list[dict[str, str]]) -> None:
    deployment.define(*LINKS)
    with Flow(deployment, endless_clicks(seed=7), per_second=1_000):
        deployment.start("steady").wait_ready()
        for points in deaths:
            victim = deployment.start_steered("victim", points)
            assert victim.wait_exit() == KILLED, victim.log
            assert {each["point"] for each in victim.events("point.reached")} == set(points)
        deployment.start("victim").wait_ready()
    deployment.wait_done()

    assert_exact(deployment)


FAILURES = {
    "before.commit_transaction.2": "abort",
    "before.producer.commit_transaction.3": "abort",
    "after.producer.commit_transaction.5": "lose",
    "before.producer.commit_transaction.8": "lose",
    "before.producer.send_offsets_to_transaction.12": "lose",
    "before.producer.commit_transaction.16": "abort",
    "after.producer.abort_transaction.3": "lose",
}
"""An abort before the commit may come before the broker knows of the transaction, and is refused then; the one whose
answer is lost must take effect, so it comes when the records are in the log."""


def test_unknown_outcome_is_resolved_from_the_broker(
    deployment: Deployment,
) -> None:
    deployment.define(*LINKS)
    worker = deployment.start_steered("a", FAILURES)
    with Flow(deployment, endless_clicks(seed=8), per_second=1_000):
        wait_until(lambda: all(map(worker.has_reached, FAILURES)), "failure of each kind")
        before = deployment.total_committed()
        wait_until(lambda: deployment.total_committed() > before, "further commit")
    deployment.wait_done()

    metrics = worker.metrics()
    assert metrics["records_consumed_total",] == deployment.total_committed()
    assert metrics["transactions_total", "aborted"] >= ABORTS
    assert metrics["transactions_total", "unknown"] >= UNKNOWN
    assert_exact(deployment)
