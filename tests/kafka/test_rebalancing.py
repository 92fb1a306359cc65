"""Workers that join and leave while clicks flow."""

import pytest

from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.traffic import LINKS, endless_clicks


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_workers_may_join_and_leave_while_clicks_flow(deployment: Deployment, protocol: str) -> None:
    deployment.configure(consumer__group__protocol=protocol)
    deployment.define(*LINKS)
    with Flow(deployment, endless_clicks(seed=3)):
        first = deployment.start("a").wait_ready()
        assert deployment.start("b").wait_ready().stop() == 0
        first.wait_ready(assigned=deployment.partitions)
        second = deployment.start("b").wait_ready()
        assert first.stop() == 0
        second.wait_ready(assigned=deployment.partitions)
    deployment.wait_done()

    assert_exact(deployment)
