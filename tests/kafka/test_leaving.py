"""On SIGTERM the worker leaves within five seconds, and the next one does the rest."""

import signal
from itertools import islice
from random import Random

from tests.builders import NOON
from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.stopping import assert_leave
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until
from tests.support.worker import Worker


def test_it_leaves_when_idle_and_under_load(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    idle = deployment.start("idle").wait_ready()
    assert_leave(idle)
    with Flow(deployment, endless_clicks(seed=1), per_second=3_000):
        busy = deployment.start("busy")
        wait_until(deployment.total_committed, "first commit")
        assert_leave(busy)
    deployment.drain()

    assert_exact(deployment)


def test_it_leaves_from_inside_a_transaction(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    steering = {"before.commit_transaction.1": "halt"}
    finishing, hanging = (deployment.start_steered(name, steering) for name in ("a", "b"))
    for worker in (finishing, hanging):
        worker.wait_ready(assigned=deployment.partitions // 2)
    deployment.click(*islice(endless_clicks(seed=2), 2_000))
    for worker in (finishing, hanging):
        worker.wait_event("point.reached")
    finishing.send(signal.SIGTERM)
    finishing.go_on()
    assert_leave(finishing, hanging)
    assert deployment.total_committed(), "the batch was not finished"
    deployment.drain("b")

    assert_exact(deployment)


def test_it_leaves_while_the_group_waits_for_a_member(deployment: Deployment) -> None:
    deployment.configure(consumer__session__timeout__ms="30000")
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=4), 2_000))
    settled, silent = (deployment.start(name).wait_ready() for name in ("settled", "silent"))
    settled.wait_ready(assigned=deployment.partitions // 2)
    silent.pause()
    newcomer = deployment.start("newcomer")
    newcomer.wait_event("worker.started")
    wait_until(lambda: deployment.group_state() == "PREPARING_REBALANCING", "rebalance")
    assert_leave(newcomer, settled)
    silent.resume()
    silent.wait_ready(assigned=deployment.partitions)
    deployment.wait_done()

    assert_exact(deployment)


def test_it_leaves_in_the_middle_of_a_restore(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=5, recipients=100), 500))
    fill_changelog(deployment, 600_000)
    killed = deployment.start("a")
    wait_until(lambda: is_restoring(killed), "restore")
    killed.kill()
    leaving = deployment.start("a")
    wait_until(lambda: is_restoring(leaving), "restore")
    assert_leave(leaving)
    assert deployment.total_committed() == 0
    deployment.drain("a")

    assert_exact(deployment)


def is_restoring(worker: Worker) -> bool:
    return any(worker.probe("/readyz")[1].get("restoring", {}).values())


def fill_changelog(deployment: Deployment, entries: int) -> None:
    """Make the changelog remember clicks of very many people who do not click any more."""
    chance = Random(1)
    memory = b"\x01" + NOON.to_bytes(8, "big") + b"\x01"
    for number in range(entries):
        deployment.publisher.publish(
            deployment.topic(deployment.changelog),
            memory,
            chance.randbytes(20),
            partition=number % deployment.partitions,
        )
    deployment.publisher.finish()
