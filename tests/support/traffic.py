"""Links with every repeat rule, and an endless stream of clicks on them in which people click again and again."""

from collections.abc import Iterator
from random import Random
from uuid import UUID

from tests.builders import NOON, Record, a_link, an_action
from tests.support.planted import MARK
from tests.support.records import MINUTE, click_by

LINKS = (
    a_link(an_action("SetField"), link_id="plain"),
    a_link(
        an_action("ChangeInterest", slot=0),
        an_action("ChangeMembership", slot=1),
        an_action("CreateFollowUp", slot=2, description="Clicked {link_name} in {mailing_id} at {clicked_at}"),
        link_id="rich",
    ),
    a_link(an_action("OpenRequest", rule="once_per_mailing"), link_id="by-mailing"),
    a_link(an_action("SetField", rule="cooldown", period_ms=30 * MINUTE), link_id="cooling"),
    a_link(an_action("RunScript", rule="always"), link_id="counting"),
)
_IDS = tuple(link["link_id"] for link in LINKS)


def endless_clicks(seed: int, *, recipients: int = 2_000) -> Iterator[Record]:
    """Yield clicks, the same ones for the same seed, a second apart."""
    chance, clicked_at = Random(seed), NOON
    while True:
        clicked_at += 1_000
        yield click_by(
            f"{MARK}-{chance.randrange(recipients)}",
            chance.choice(_IDS),
            click_id=str(UUID(int=chance.getrandbits(128), version=4)),
            clicked_at=clicked_at,
            mailing_id=chance.choice(("m-1", "m-2", "m-3")),
        )
