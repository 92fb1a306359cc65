"""Actions that need a confirmed click, in the real process: the button pressed, and not pressed."""

from typing import Any

from consumer.verify.reader import decode_update
from consumer.verify.update_record import TOPICS
from tests.builders import Record, a_link, an_action
from tests.support.deployment import Deployment
from tests.support.outcome import assert_exact, hits, read
from tests.support.records import click_by

LINK = a_link(
    an_action("SetField"),
    an_action("OpenRequest", slot=1, guard="confirm"),
    an_action("RunScript", slot=2, guard="confirm", rule="always"),
)


def test_confirmed_action_waits_for_the_button(deployment: Deployment) -> None:
    """Two people open the page, and one of them presses its button, after a restart of the worker."""
    deployment.define(LINK)
    page, other = click_by("r-1"), click_by("r-2")
    deployment.click(page, other)
    deployment.drain("a")
    assert applied(deployment) == [("r-1", "action-0"), ("r-2", "action-0")]

    press = pressed(page)
    deployment.click(press, press, click_by("r-1"))
    deployment.drain("b")

    outcome = assert_exact(deployment)
    assert applied(deployment) == [("r-1", "action-0"), ("r-1", "action-1"), ("r-1", "action-2"), ("r-2", "action-0")]
    assert outcome.model.actions["request", "not_confirmed"] == 2
    assert hits(deployment) == {("acme", "spring"): (0, 3, 2)}


def pressed(page: Record) -> Record:
    return click_by(page["recipient_id"], confirmed=True, page_click_id=page["click_id"], http_method="POST")


def applied(deployment: Deployment) -> list[tuple[Any, Any]]:
    updates = [decode_update(update) for topic in TOPICS.values() for update in read(deployment, topic)]
    return sorted((update["recipient_id"], update["action_id"]) for update in updates)
