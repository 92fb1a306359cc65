"""Two that take each other's place: the same instance twice, and a worker that was given up and comes back."""

import pytest

from tests.builders import a_link, an_action
from tests.support.flow import Flow
from tests.support.installation import Installation
from tests.support.outcome import assert_exact
from tests.support.records import click_by
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until


def test_of_two_with_the_same_transactional_id_one_ends_and_says_why(installation: Installation) -> None:
    installation.define(*LINKS)
    with Flow(installation, endless_clicks(seed=1)):
        first = installation.start("a").wait_ready()
        second = installation.start("a", settings={"LINK_ACTIONS_STATE_DIR": str(installation.folder / "elsewhere")})
        wait_until(lambda: not (first.is_running and second.is_running), "end of one of the two")
        fenced, left = (first, second) if second.is_running else (second, first)
        assert fenced.wait_exit() == 4
        assert "another worker runs under the same LINK_ACTIONS_INSTANCE_ID" in fenced.last_words
        assert "Traceback" not in fenced.log
        left.wait_ready(assigned=installation.partitions)
    installation.wait_done()

    assert_exact(installation)


def test_two_may_not_share_a_state(installation: Installation) -> None:
    first = installation.start("a").wait_ready()
    second = installation.start("a")

    assert second.wait_exit() == 2
    assert "give each worker on a machine its own LINK_ACTIONS_INSTANCE_ID" in second.last_words
    assert first.is_running


STOPS = {
    "before it sent its offsets": "before.producer.send_offsets_to_transaction.4",
    "before it committed": "before.producer.commit_transaction.4",
}


@pytest.mark.parametrize("point", STOPS.values(), ids=STOPS.keys())
def test_a_worker_that_sleeps_through_its_replacement_repeats_nothing(installation: Installation, point: str) -> None:
    installation.define(*LINKS)
    with Flow(installation, endless_clicks(seed=2), per_second=500):
        sleeper = installation.start_steered("sleeper", {point: "halt"})
        sleeper.wait_event("point.reached")
        sleeper.pause()
        other = installation.start("other").wait_assigned(installation.partitions)
        sleeper.go_on()
        sleeper.resume()
        sleeper.wait_assigned(installation.partitions // 2)
        other.wait_ready(assigned=installation.partitions // 2)
        sleeper.wait_ready()
    installation.wait_done()

    assert sleeper.is_running
    assert_exact(installation)


def test_a_worker_that_is_idle_while_it_is_replaced_goes_on(installation: Installation) -> None:
    installation.define(a_link(an_action("SetField")))
    sleeper = installation.start("sleeper").wait_ready()
    installation.click(click_by("r-1"))
    installation.wait_done()
    sleeper.pause()
    installation.start("other").wait_ready(assigned=installation.partitions)
    installation.click(click_by("r-1"), click_by("r-2"))
    installation.wait_done()
    sleeper.resume()
    sleeper.wait_ready(assigned=installation.partitions // 2)
    installation.click(click_by("r-1"), click_by("r-2"), click_by("r-3"))
    installation.wait_done()

    assert_exact(installation)
