from typing import Any

import pytest

from actions.link import LinkStatus, UnreadableLink, link_from_record, record_from_link, url_of
from actions.repeat import Repeat, RepeatRule
from actions.response import Form, Redirect, Response, Text
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from tests.actions.builders import a_link, an_action, kinds

CODEC = Codec(load_schemas()["LinkDefined"])
EVERY_REPEAT = [
    Repeat(),
    Repeat(RepeatRule.ONCE_PER_MAILING),
    Repeat(RepeatRule.COOLDOWN, 86_400_000),
    Repeat(RepeatRule.ALWAYS),
]


def a_record(**changes: Any) -> dict[str, Any]:
    return record_from_link(a_link(an_action())) | changes


def an_action_record(**changes: Any) -> dict[str, Any]:
    record: dict[str, Any] = a_record()["actions"][0]
    return record | changes


@pytest.mark.parametrize("response", [Redirect("https://example.com/"), Text("<p>Thanks</p>"), Form("f", ("email",))])
@pytest.mark.parametrize("status", LinkStatus)
def test_a_link_reads_back_equal(response: Response, status: LinkStatus) -> None:
    actions = [an_action(slot=slot, repeat=repeat) for slot, repeat in enumerate(EVERY_REPEAT)]
    link = a_link(*actions, response=response, status=status, url=url_of(response), version=3, epoch=2)

    assert link_from_record(CODEC.decode(CODEC.encode(record_from_link(link))), kinds()) == link


def test_a_link_without_actions_reads_back_equal() -> None:
    assert link_from_record(CODEC.decode(CODEC.encode(record_from_link(a_link()))), kinds()) == a_link()


def test_actions_keep_their_order() -> None:
    link = a_link(an_action("script", slot=4), an_action("interest", slot=1))

    assert [action.slot for action in link_from_record(record_from_link(link), kinds()).actions] == [4, 1]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "unknown"},
        {"response": ("link_actions.CouponResponse", {})},
        {"actions": [an_action_record(repeat={"rule": "unknown", "period_ms": None})]},
        {"actions": [an_action_record(repeat={"rule": "cooldown", "period_ms": None})]},
        {"actions": [an_action_record(action_id="")]},
        {"actions": [an_action_record(action_id=" \t")]},
        {"actions": [an_action_record(action_id="a\x1fb")]},
        {"actions": [an_action_record(slot=1), an_action_record(slot=2)]},
        {"actions": [an_action_record(action_id="a"), an_action_record(action_id="b")]},
        {"actions": [an_action_record(parameters=("link_actions.SendGiftParameters", {}))]},
        {
            "actions": [
                an_action_record(
                    parameters=(
                        "link_actions.ChangeInterestParameters",
                        {"operation": "unknown", "interest": "news", "scope": "person"},
                    )
                )
            ]
        },
    ],
)
def test_what_a_later_author_may_write_is_unreadable_and_not_guessed(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableLink, match="version 1 of the link acme/spring"):
        link_from_record(a_record(**changes), kinds())


def test_an_empty_address_is_none() -> None:
    assert link_from_record(a_record(url=""), kinds()).url is None


def test_only_a_redirect_leads_somewhere() -> None:
    assert url_of(Redirect("https://example.com/")) == "https://example.com/"
    assert url_of(Text("Thanks")) is None


@pytest.mark.parametrize(("rule", "period_ms"), [("cooldown", None), ("cooldown", 0), ("once", 5), ("always", 5)])
def test_a_period_belongs_to_a_cooldown_and_to_nothing_else(rule: str, period_ms: int | None) -> None:
    with pytest.raises(ValueError, match="cooldown"):
        Repeat(RepeatRule(rule), period_ms)
