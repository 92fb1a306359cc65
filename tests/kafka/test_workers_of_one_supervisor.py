"""`run --workers N` on a real Kafka: killed, told to leave, drained, and judged."""

import os
import signal
from itertools import islice

from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.stopping import assert_leave
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until
from tests.support.worker import Worker


def process_of(supervisor: Worker, name: str) -> int:
    """Return the process id that this worker was launched with last."""
    launched = [event["process_id"] for event in supervisor.events("worker.launched") if event["worker"] == name]
    return int(launched[-1])


def counted(supervisor: Worker) -> float:
    """Return how many records all workers have counted."""
    return sum(value for name, value in supervisor.metrics().items() if name[0] == "records_consumed_total")


def assigned(supervisor: Worker) -> dict[str, float]:
    """Return how many partitions each worker has."""
    return {name[1]: value for name, value in supervisor.metrics().items() if name[0] == "partitions_assigned"}


def test_killed_worker_restarts_exactly_once(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    supervisor = deployment.start("host", "--workers", "2").wait_ready(assigned=4, timeout=90)
    with Flow(deployment, endless_clicks(seed=11), per_second=2_000) as flow:
        for name in ("host-1", "host-2"):
            before = deployment.total_committed()
            wait_until(lambda least=before + 500: deployment.total_committed() >= least, "commits")  # type: ignore[misc]
            os.kill(process_of(supervisor, name), signal.SIGKILL)
            wait_until(lambda who=name: supervisor.metrics()["worker_restarts_total", who] == 1, "restart")  # type: ignore[misc]
            supervisor.wait_ready(assigned=4, timeout=90)
        flow.limit = flow.published
    deployment.wait_done()
    assert_leave(supervisor)

    assert_exact(deployment)


def test_it_speaks_for_all_and_leaves_as_one(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    supervisor = deployment.start("host", "--workers", "3").wait_ready(assigned=4, timeout=90)
    deployment.click(*islice(endless_clicks(seed=12), 2_000))
    deployment.wait_done()
    wait_until(lambda: counted(supervisor) == 2_000, lambda: f"2000 records counted, only {counted(supervisor)}")
    # While the last worker joins, partitions are being moved and no worker counts them.
    wait_until(lambda: sum(assigned(supervisor).values()) == 4, lambda: f"4 partitions, only {assigned(supervisor)}")
    assert sorted(assigned(supervisor)) == ["host-1", "host-2", "host-3"]
    assert {event["instance"] for event in supervisor.events("worker.started")} == set(assigned(supervisor))
    assert_leave(supervisor)

    assert_exact(deployment)


def test_it_drains_with_several(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=13), 3_000))
    supervisor = deployment.start("host", "--workers", "2", "--drain")

    assert supervisor.wait_exit(timeout=60) == 0, supervisor.log
    assert_exact(deployment)


def test_workers_end_with_their_supervisor(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    with Flow(deployment, endless_clicks(seed=14), per_second=2_000) as flow:
        supervisor = deployment.start("host", "--workers", "2")
        wait_until(deployment.total_committed, "first commit")
        supervisor.kill()
        flow.limit = flow.published
    deployment.start("host", "--workers", "2").wait_ready(assigned=4, timeout=90)
    deployment.wait_done()

    assert_exact(deployment)
