"""Two that take each other's place: the same instance twice, and a worker that was given up and comes back."""

from itertools import islice

import pytest
from confluent_kafka import Producer

from tests.builders import a_link, an_action
from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.records import click_by
from tests.support.traffic import LINKS, endless_clicks

TAKEN = "instance_id.taken"


def elsewhere(deployment: Deployment) -> dict[str, str]:
    """Settings of worker `a` on another machine."""
    return {"LINK_ACTIONS_INSTANCE_ID": "a", "LINK_ACTIONS_STATE_DIR": str(deployment.folder / "elsewhere")}


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["one worker", "two workers"])
def test_second_worker_with_same_instance_id_exits(deployment: Deployment, arguments: tuple[str, ...]) -> None:
    deployment.define(*LINKS)
    with Flow(deployment, endless_clicks(seed=1)):
        first = deployment.start("a", *arguments).wait_ready(assigned=deployment.partitions)
        started = first.events("worker.started")
        second = deployment.start("later", *arguments, settings=elsewhere(deployment))
        assert second.wait_exit(timeout=60) == 4, second.log
    reason = second.events("command.failed")[-1]["reason"]
    assert "Another worker with LINK_ACTIONS_INSTANCE_ID=a" in reason
    assert "127.0.0.1" in reason
    assert second.bare_lines("timestamp", "level", "event", "instance") == []
    deployment.wait_done()

    assert first.is_running
    assert first.events("worker.started") == started
    assert not first.events("worker.ended")
    assert_exact(deployment)


def test_a_worker_that_was_killed_comes_back_at_once(deployment: Deployment) -> None:
    first = deployment.start("a").wait_ready(assigned=deployment.partitions)
    first.kill()
    second = deployment.start("a").wait_ready(assigned=deployment.partitions)

    assert not second.events(TAKEN)


def test_killed_worker_restarts_on_another_machine(deployment: Deployment) -> None:
    """Like a pod of a StatefulSet without its volume: its former member id is unknown there."""
    deployment.define(*LINKS)
    first = deployment.start("a").wait_ready(assigned=deployment.partitions)
    first.kill()
    second = deployment.start("later", settings=elsewhere(deployment))
    second.wait_ready(assigned=deployment.partitions, timeout=60)
    deployment.click(*islice(endless_clicks(seed=4), 100))
    deployment.wait_done()

    assert second.events(TAKEN)
    assert_exact(deployment)


def test_stopped_worker_is_replaced_at_once(deployment: Deployment) -> None:
    assert deployment.start("a").wait_ready(assigned=deployment.partitions).stop() == 0
    second = deployment.start("later", settings=elsewhere(deployment)).wait_ready(assigned=deployment.partitions)

    assert not second.events(TAKEN)


def test_fenced_worker_restarts_beside_sibling(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    with Flow(deployment, endless_clicks(seed=5)) as flow:
        supervisor = deployment.start("host", "--workers", "2").wait_ready(assigned=deployment.partitions, timeout=90)
        usurper = Producer(
            {
                "bootstrap.servers": deployment.servers,
                "transactional.id": f"{deployment.prefix}{deployment.group}/worker/host-1",
            }
        )
        usurper.init_transactions(30)
        ended = supervisor.wait_event("worker.ended")
        assert (ended["worker"], ended["exit_code"]) == ("host-1", 4)
        supervisor.wait_ready(assigned=deployment.partitions, timeout=90)
        flow.limit = flow.published
    deployment.wait_done()
    launched = [event["worker"] for event in supervisor.events("worker.launched")]

    assert sorted(launched) == ["host-1", "host-1", "host-2"]
    assert supervisor.bare_lines("timestamp", "level", "event", "instance") == []
    assert supervisor.stop() == 0
    assert_exact(deployment)


def test_two_may_not_share_a_state(deployment: Deployment) -> None:
    first = deployment.start("a").wait_ready()
    second = deployment.start("a")

    assert second.wait_exit() == 2
    assert "give each worker on a machine its own LINK_ACTIONS_INSTANCE_ID" in second.last_words
    assert first.is_running


STOPS = {
    "before it sent its offsets": "before.producer.send_offsets_to_transaction.4",
    "before it committed": "before.producer.commit_transaction.4",
}


@pytest.mark.parametrize("point", STOPS.values(), ids=STOPS.keys())
def test_suspended_and_replaced_worker_repeats_nothing(deployment: Deployment, point: str) -> None:
    deployment.define(*LINKS)
    with Flow(deployment, endless_clicks(seed=2), per_second=500):
        sleeper = deployment.start_steered("sleeper", {point: "halt"})
        sleeper.wait_event("point.reached")
        sleeper.pause()
        other = deployment.start("other").wait_assigned(deployment.partitions)
        sleeper.go_on()
        sleeper.resume()
        sleeper.wait_assigned(deployment.partitions // 2)
        other.wait_ready(assigned=deployment.partitions // 2)
        sleeper.wait_ready()
    deployment.wait_done()

    assert sleeper.is_running
    assert_exact(deployment)


def test_idle_worker_resumes_after_replacement(deployment: Deployment) -> None:
    deployment.define(a_link(an_action("SetField")))
    sleeper = deployment.start("sleeper").wait_ready()
    deployment.click(click_by("r-1"))
    deployment.wait_done()
    sleeper.pause()
    deployment.start("other").wait_ready(assigned=deployment.partitions)
    deployment.click(click_by("r-1"), click_by("r-2"))
    deployment.wait_done()
    sleeper.resume()
    sleeper.wait_ready(assigned=deployment.partitions // 2)
    deployment.click(click_by("r-1"), click_by("r-2"), click_by("r-3"))
    deployment.wait_done()

    assert_exact(deployment)
