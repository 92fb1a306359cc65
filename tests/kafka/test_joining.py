"""When a worker becomes a member of the group."""

from tests.builders import a_link, an_action
from tests.support.deployment import Deployment
from tests.support.records import click_by
from tests.support.waiting import wait_until


def test_worker_joins_only_when_ready(deployment: Deployment) -> None:
    deployment.define(a_link(an_action("SetField")))
    settled = deployment.start("settled").wait_ready(assigned=4)
    newcomer = deployment.start_steered("newcomer", {"before.reinit_producer.1": "halt"})
    wait_until(
        lambda: newcomer.has_reached("before.reinit_producer.1"), "newcomer that halts before its first transaction"
    )
    deployment.click(*(click_by(f"r-{number}") for number in range(100)))
    deployment.wait_done()
    assert settled.assigned() == [0, 1, 2, 3]
    newcomer.go_on()

    newcomer.wait_ready(assigned=2)
