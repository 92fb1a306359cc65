"""Workers that join and leave while clicks flow."""

import pytest

from tests.support.deployment import Installation
from tests.support.flow import Flow
from tests.support.outcome import assert_exact
from tests.support.traffic import LINKS, endless_clicks


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_workers_may_join_and_leave_while_clicks_flow(installation: Installation, protocol: str) -> None:
    installation.configure(consumer__group__protocol=protocol)
    installation.define(*LINKS)
    with Flow(installation, endless_clicks(seed=3)):
        first = installation.start("a").wait_ready()
        assert installation.start("b").wait_ready().stop() == 0
        first.wait_ready(assigned=installation.partitions)
        second = installation.start("b").wait_ready()
        assert first.stop() == 0
        second.wait_ready(assigned=installation.partitions)
    installation.wait_done()

    assert_exact(installation)
