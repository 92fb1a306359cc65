"""A loop that stalls is seen, and tells where; one that waits for its broker is none."""

import time

from deploy.kafka import KafkaProcess
from tests.builders import a_link, an_action
from tests.deadly_record import DEADLY
from tests.support.deadly_worker import STALLED_AFTER_SECONDS
from tests.support.deployment import Deployment
from tests.support.patience import Deadline
from tests.support.records import click_by
from tests.support.waiting import LOOK_SECONDS, wait_until
from tests.support.worker import Worker

DUMP = "Timeout (0:"
"""How the library's report of all stacks begins."""
STALLING = click_by("r-1", user_agent=DEADLY.decode())


def dumps(worker: Worker) -> int:
    """Return how often the alarm went off, without waiting."""
    return worker.log.count(DUMP)


def test_stalled_loop_logs_stacks_and_fails_livez(
    deployment: Deployment,
) -> None:
    deployment.define(a_link(an_action("SetField")))
    worker = deployment.start_deadly("a", "stall").wait_ready()
    assert worker.probe("/livez")[0] == 200
    for number in (1, 2):
        deployment.click({**STALLING, "recipient_id": f"r-{number}"})
        wait_until(lambda: worker.probe("/livez")[0] == 503, "red /livez")
        wait_until(lambda: len(worker.events("loop.stalled")) == number, "stacks")  # noqa: B023
        wait_until(lambda: worker.probe("/livez")[0] == 200, "green /livez")
        wait_until(lambda: len(worker.events("loop.resumed")) == number, "end of the stall")  # noqa: B023
    deployment.wait_done()

    assert len(worker.events("loop.stalled")) == 2
    for event in worker.events("loop.stalled"):
        assert "Thread MainThread:" in event["stack"]
        assert "in decide" in event["stack"]
        assert 'deadly_worker.py", line' in event["stack"]


def test_code_that_keeps_pythons_lock_is_told_of_too(deployment: Deployment) -> None:
    deployment.define(a_link(an_action("SetField")))
    worker = deployment.start_deadly("a", "freeze").wait_ready()
    deployment.click(STALLING)
    wait_until(lambda: dumps(worker) == 1, "stacks")
    deployment.wait_done()

    assert "in freeze" in worker.log


def test_a_broker_that_is_away_is_no_stall(kafka_process: KafkaProcess, breakable_deployment: Deployment) -> None:
    deployment = breakable_deployment
    deployment.define(a_link(an_action("SetField")))
    worker = deployment.start_deadly("a", "stall").wait_ready()
    # Who has just been given partitions asks what is committed, which may take ten seconds where nobody answers: no
    # stall by the limit of a real worker, but by the short one of this.
    deployment.click(click_by("r-0"))
    deployment.wait_done()
    kafka_process.stop()
    enough = Deadline(3 * STALLED_AFTER_SECONDS)
    while not enough.has_passed:
        assert worker.probe("/livez")[0] == 200
        time.sleep(LOOK_SECONDS)
    # Before it is back: the first transaction with a broker that just started may take ten seconds on a busy machine,
    # which again is no stall by the limit of a real worker.
    assert not worker.events("loop.stalled")
    assert not dumps(worker)
    kafka_process.start()
    deployment.click(click_by("r-1"))
    deployment.wait_done()
