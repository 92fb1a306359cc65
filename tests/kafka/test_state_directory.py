"""The local state may be lost, old or that of another topic: the changelog makes up for it."""

import shutil
from itertools import islice

from tests.support.installation import Installation
from tests.support.outcome import assert_exact
from tests.support.traffic import LINKS, endless_clicks


def test_a_state_that_was_deleted_is_rebuilt(installation: Installation) -> None:
    clicks = endless_clicks(seed=4, recipients=200)
    installation.define(*LINKS)
    installation.click(*islice(clicks, 1_000))
    installation.drain("a")
    shutil.rmtree(installation.state_of("a"))
    installation.click(*islice(clicks, 1_000))
    installation.drain("a")

    assert_exact(installation)


def test_a_state_older_than_what_is_committed_is_brought_up_to_it(installation: Installation) -> None:
    clicks = endless_clicks(seed=5, recipients=200)
    aside = installation.folder / "aside"
    installation.define(*LINKS)
    installation.click(*islice(clicks, 1_000))
    installation.drain("a")
    shutil.copytree(installation.state_of("a"), aside)
    installation.click(*islice(clicks, 1_000))
    installation.drain("a")
    shutil.rmtree(installation.state_of("a"))
    shutil.copytree(aside, installation.state_of("a"))
    installation.click(*islice(clicks, 1_000))
    installation.drain("a")

    assert_exact(installation)


def test_a_state_of_topics_that_were_made_anew_is_not_believed(installation: Installation) -> None:
    installation.define(*LINKS)
    installation.click(*islice(endless_clicks(seed=6, recipients=200), 1_000))
    installation.drain("a")
    installation.delete_topics()
    installation.create_topics()
    installation.define(*LINKS)
    installation.click(*islice(endless_clicks(seed=6, recipients=200), 1_000))
    installation.drain("a")

    assert_exact(installation)
