"""The local state may be lost, old or that of another topic: the changelog makes up for it."""

import shutil
from itertools import islice

from tests.support.deployment import Installation
from tests.support.outcome import assert_exact
from tests.support.traffic import LINKS, endless_clicks


def test_old_or_lost_state_is_restored(installation: Installation) -> None:
    clicks = endless_clicks(seed=5, recipients=200)
    state, aside = installation.state_of("a"), installation.folder / "aside"
    installation.define(*LINKS)

    def drain_some() -> None:
        installation.click(*islice(clicks, 1_000))
        installation.drain("a")

    drain_some()
    shutil.copytree(state, aside)
    drain_some()
    shutil.rmtree(state)
    shutil.copytree(aside, state)
    drain_some()
    shutil.rmtree(state)
    drain_some()

    assert_exact(installation)


def test_state_of_recreated_topics_is_ignored(installation: Installation) -> None:
    installation.define(*LINKS)
    installation.click(*islice(endless_clicks(seed=6, recipients=200), 1_000))
    installation.drain("a")
    installation.delete_topics()
    installation.create_topics()
    installation.define(*LINKS)
    installation.click(*islice(endless_clicks(seed=6, recipients=200), 1_000))
    installation.drain("a")

    assert_exact(installation)
