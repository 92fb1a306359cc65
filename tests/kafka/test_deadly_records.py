"""A record of which a real process dies is found out after some starts; everything else is done exactly once."""

import pytest

from schemas.bad_record import Reason
from tests.builders import a_link, an_action
from tests.deadly_record import DEADLY
from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact
from tests.support.records import click_by
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until
from tests.support.worker import Worker

MAX_STARTS = 5
"""A supervisor takes more short lives in a row than these for a crash loop."""


@pytest.mark.parametrize(("act", "code"), [("kill", -9), ("segfault", -11), ("raise", 1)])
def test_process_crashing_record_becomes_dead_letter(deployment: Deployment, act: str, code: int) -> None:
    deployment.define(*LINKS, a_link(an_action("SetField")))
    traffic = endless_clicks(seed=21)
    good = [next(traffic) for _ in range(600)]
    deployment.click(*good[:300], click_by("victim", user_agent=f"a {DEADLY.decode()} one"), *good[300:])
    worker = start_until_rejected(deployment, act, code)
    deployment.wait_done()

    assert worker.events("poison_pill.found")
    outcome = assert_exact(deployment, good, dead_letters=1)
    assert outcome.reasons == {Reason.PROCESS_CRASH: 1}


def start_until_rejected(deployment: Deployment, act: str, code: int) -> Worker:
    for _ in range(MAX_STARTS - 1):
        worker = deployment.start_deadly("a", act)
        wait_until(lambda: worker.events("poison_pill.found") or not worker.is_running, "end or verdict")  # noqa: B023
        if worker.is_running:
            return worker
        assert worker.wait_exit() == code, worker.log
    return deployment.start_deadly("a", act)
