"""On SIGTERM the worker leaves within five seconds, and the next one does the rest."""

import signal
from itertools import islice
from random import Random

from tests.builders import NOON
from tests.support.deployment import Installation
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.stopping import assert_leave
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until
from tests.support.worker import Worker


def test_it_leaves_when_idle_and_under_load(installation: Installation) -> None:
    installation.define(*LINKS)
    idle = installation.start("idle").wait_ready()
    assert_leave(idle)
    with Flow(installation, endless_clicks(seed=1), per_second=3_000):
        busy = installation.start("busy")
        wait_until(installation.total_committed, "first commit")
        assert_leave(busy)
    installation.drain()

    assert_exact(installation)


def test_it_leaves_from_inside_a_transaction(installation: Installation) -> None:
    installation.define(*LINKS)
    steering = {"before.commit_transaction.1": "halt"}
    finishing, hanging = (installation.start_steered(name, steering) for name in ("a", "b"))
    for worker in (finishing, hanging):
        worker.wait_ready(assigned=installation.partitions // 2)
    installation.click(*islice(endless_clicks(seed=2), 2_000))
    for worker in (finishing, hanging):
        worker.wait_event("point.reached")
    finishing.send(signal.SIGTERM)
    finishing.go_on()
    assert_leave(finishing, hanging)
    assert installation.total_committed(), "the batch was not finished"
    installation.drain("b")

    assert_exact(installation)


def test_it_leaves_while_the_group_waits_for_a_member(installation: Installation) -> None:
    installation.configure(consumer__session__timeout__ms="30000")
    installation.define(*LINKS)
    installation.click(*islice(endless_clicks(seed=4), 2_000))
    settled, silent = (installation.start(name).wait_ready() for name in ("settled", "silent"))
    settled.wait_ready(assigned=installation.partitions // 2)
    silent.pause()
    newcomer = installation.start("newcomer")
    newcomer.wait_event("worker.started")
    wait_until(lambda: installation.group_state() == "PREPARING_REBALANCING", "rebalance")
    assert_leave(newcomer, settled)
    silent.resume()
    silent.wait_ready(assigned=installation.partitions)
    installation.wait_done()

    assert_exact(installation)


def test_it_leaves_in_the_middle_of_a_restore(installation: Installation) -> None:
    installation.define(*LINKS)
    installation.click(*islice(endless_clicks(seed=5, recipients=100), 500))
    fill_changelog(installation, 600_000)
    killed = installation.start("a")
    wait_until(lambda: is_restoring(killed), "restore")
    killed.kill()
    leaving = installation.start("a")
    wait_until(lambda: is_restoring(leaving), "restore")
    assert_leave(leaving)
    assert installation.total_committed() == 0
    installation.drain("a")

    assert_exact(installation)


def is_restoring(worker: Worker) -> bool:
    return any(worker.probe("/readyz")[1].get("restoring", {}).values())


def fill_changelog(installation: Installation, entries: int) -> None:
    """Make the changelog remember clicks of very many people who do not click any more."""
    chance = Random(1)
    memory = b"\x01" + NOON.to_bytes(8, "big") + b"\x01"
    for number in range(entries):
        installation.publisher.publish(
            installation.topic(installation.changelog),
            memory,
            chance.randbytes(20),
            partition=number % installation.partitions,
        )
    installation.publisher.finish()
