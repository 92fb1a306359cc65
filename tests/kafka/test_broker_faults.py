"""A broker that dies, freezes or stays away: the worker outlives it, and what it wrote is exact."""

import pytest

from deploy.kafka import PATIENT, KafkaProcess
from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.stopping import assert_leave
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until


def test_a_broker_may_die_in_the_middle_of_transactions(
    kafka_process: KafkaProcess, breakable_deployment: Deployment
) -> None:
    deployment = breakable_deployment
    # Halted workers keep their transactions open for as long as the broker takes to start again on a busy machine: it
    # must not end them before, and fence a suspended worker.
    deployment.configure(producer__transaction__timeout__ms="120000")
    deployment.define(*LINKS)
    # While it looks for the coordinator to send the offsets to, the library forgets its own time-out.
    calls = ("commit_transaction", "send_offsets_to_transaction")
    workers = [deployment.start_steered(call, {f"before.producer.{call}.4": "halt"}) for call in calls]
    with Flow(deployment, endless_clicks(seed=1), per_second=500):
        for worker in workers:
            worker.wait_event("point.reached")
        kafka_process.kill()
        kafka_process.start()
        for worker in workers:
            worker.go_on()
        for worker in workers:
            worker.wait_ready(assigned=deployment.partitions // 2)
    deployment.wait_done()

    assert all(worker.is_running for worker in workers)
    assert_exact(deployment)


def test_a_worker_waits_for_a_broker_that_is_away(
    kafka_process: KafkaProcess, breakable_deployment: Deployment
) -> None:
    deployment = breakable_deployment
    deployment.define(*LINKS)
    worker = deployment.start_steered("a", {"before.begin_transaction.4": "halt", "before.producer.flush.4": "lose"})
    with Flow(deployment, endless_clicks(seed=2), per_second=500):
        worker.wait_event("point.reached")
        kafka_process.stop()
        worker.go_on()
        worker.wait_event("broker.awaited")
        assert worker.probe("/livez")[0] == 200
        kafka_process.start()
        before = deployment.total_committed()
        wait_until(lambda: deployment.total_committed() > before, "further commit")
    deployment.wait_done()

    assert worker.is_running
    assert worker.probe("/livez")[0] == 200
    assert_exact(deployment)


@pytest.mark.parametrize("kafka_process", [pytest.param(PATIENT, id="patient")], indirect=True)
def test_workers_stop_without_broker(kafka_process: KafkaProcess, breakable_deployment: Deployment) -> None:
    deployment = breakable_deployment
    deployment.define(*LINKS)
    idle = deployment.start("idle").wait_ready()
    busy = deployment.start_steered("busy", {"before.producer.commit_transaction.4": "halt"}).wait_ready()
    loses = {"before.producer.flush.4": "halt", "after.producer.flush.4": "lose"}
    recovering = deployment.start_steered("recovering", loses).wait_ready()
    with Flow(deployment, endless_clicks(seed=3), per_second=500):
        for worker in (busy, recovering):
            worker.wait_event("point.reached")
    kafka_process.pause()
    busy.go_on()
    recovering.go_on()
    recovering.wait_event("broker.lost")
    assert_leave(idle, busy, recovering)
    kafka_process.resume()
    # Under its old name each ends the transaction that it left open.
    heirs = [deployment.start(name, "--drain") for name in ("idle", "busy", "recovering")]
    assert [heir.wait_exit() for heir in heirs] == [0, 0, 0]

    assert_exact(deployment)
