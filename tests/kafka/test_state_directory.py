"""The local state may be lost, old or that of another topic: the changelog makes up for it."""

import shutil
from itertools import islice

from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact
from tests.support.traffic import LINKS, endless_clicks


def test_old_or_lost_state_is_restored(deployment: Deployment) -> None:
    clicks = endless_clicks(seed=5, recipients=200)
    state, aside = deployment.state_of("a"), deployment.folder / "aside"
    deployment.define(*LINKS)

    def drain_some() -> None:
        deployment.click(*islice(clicks, 1_000))
        deployment.drain("a")

    drain_some()
    shutil.copytree(state, aside)
    drain_some()
    shutil.rmtree(state)
    shutil.copytree(aside, state)
    drain_some()
    shutil.rmtree(state)
    drain_some()

    assert_exact(deployment)


def test_state_of_recreated_topics_is_ignored(deployment: Deployment) -> None:
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=6, recipients=200), 1_000))
    deployment.drain("a")
    deployment.delete_topics()
    deployment.create_topics()
    deployment.define(*LINKS)
    deployment.click(*islice(endless_clicks(seed=6, recipients=200), 1_000))
    deployment.drain("a")

    assert_exact(deployment)
