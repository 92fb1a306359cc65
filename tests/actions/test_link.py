from typing import Any

import pytest

from actions.guard import Guard
from actions.link import Link, LinkStatus, UnreadableLink, link_from_record, record_from_link, url_of
from actions.repeat import Repeat, RepeatRule
from actions.response import (
    Form,
    FormField,
    FormFieldType,
    Redirect,
    RedirectCondition,
    RedirectRule,
    Response,
    Text,
    record_from_response,
)
from schemas.codec import Codec, single_object_frame
from schemas.record_schema import RecordSchema, load_schemas
from tests.actions.builders import a_link, an_action, kinds

CODEC = Codec(load_schemas()["LinkDefined"])
EVERY_REPEAT = [
    Repeat(),
    Repeat(RepeatRule.ONCE_PER_MAILING),
    Repeat(RepeatRule.COOLDOWN, 86_400_000),
    Repeat(RepeatRule.ALWAYS),
]
WITH_RULES = Redirect(
    "https://example.com/",
    (
        RedirectRule(RedirectCondition.PERSON_KNOWN, "https://example.com/person"),
        RedirectRule(RedirectCondition.COMPANY_KNOWN, "https://example.com/company"),
        RedirectRule(RedirectCondition.LANGUAGE, "https://example.com/nl", "nl"),
    ),
)
WITH_FIELDS = Form(
    "f",
    ("email",),
    (
        *(FormField(each.value, "Text", each) for each in FormFieldType if each is not FormFieldType.CHOICE),
        FormField("size", "Size", FormFieldType.CHOICE, options=("S", "M")),
        FormField("mail", "E-mail", FormFieldType.EMAIL, required=True, autocomplete="email"),
    ),
)


def a_record(**changes: Any) -> dict[str, Any]:
    return record_from_link(a_link(an_action())) | changes


def an_action_record(**changes: Any) -> dict[str, Any]:
    record: dict[str, Any] = a_record()["actions"][0]
    return record | changes


def a_response(response: Response, part: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    """The record of the response, with these changes to its first rule or field."""
    name, fields = record_from_response(response)
    return name, fields | {part: [fields[part][0] | changes, *fields[part][1:]]}


def decoded(link: Link) -> Link:
    return link_from_record(CODEC.decode(CODEC.encode_for_earlier_readers(record_from_link(link))), kinds())


@pytest.mark.parametrize(
    "response",
    [Redirect("https://example.com/"), WITH_RULES, Text("<p>Thanks</p>"), Form("f", ("email",)), WITH_FIELDS],
)
@pytest.mark.parametrize("status", LinkStatus)
def test_a_link_reads_back_equal(response: Response, status: LinkStatus) -> None:
    actions = [an_action(slot=slot, repeat=repeat) for slot, repeat in enumerate(EVERY_REPEAT)]
    link = a_link(*actions, response=response, status=status, url=url_of(response), version=3, epoch=2)

    assert link_from_record(CODEC.decode(CODEC.encode(record_from_link(link))), kinds()) == link
    assert decoded(link) == link


@pytest.mark.parametrize("guard", Guard)
def test_guard_reads_back_equal(guard: Guard) -> None:
    link = a_link(an_action(guard=guard), an_action("script", slot=1))

    assert decoded(link) == link


@pytest.mark.parametrize(
    ("link", "fits"),
    [
        (a_link(an_action()), True),
        (a_link(an_action(), response=Form("f", ("email",))), True),
        (a_link(an_action(guard=Guard.CONFIRM)), False),
        (a_link(an_action("script", script="x")), True),
        (a_link(an_action("script", script="x", script_version=1)), False),
        (a_link(an_action("script", script="x", parameters={"a": "b"})), False),
        (a_link(response=WITH_RULES), False),
        (a_link(response=WITH_FIELDS), False),
    ],
)
def test_only_later_parts_need_more_than_the_first_schema(link: Link, *, fits: bool) -> None:
    """Programs from before them read every definition that has none of them, and no other."""
    first = single_object_frame(CODEC.schema.earlier[-1])

    assert CODEC.encode_for_earlier_readers(record_from_link(link)).startswith(first) == fits


@pytest.mark.parametrize("earlier", CODEC.schema.earlier, ids=lambda schema: schema.fingerprint.hex())
def test_script_of_an_earlier_schema_has_no_version_and_parameters(earlier: RecordSchema) -> None:
    link = a_link(an_action("script", script="x"))

    assert link_from_record(CODEC.decode(Codec(earlier).encode(record_from_link(link))), kinds()) == link


def test_record_of_the_first_schema_has_no_guards_rules_and_fields() -> None:
    first = Codec(CODEC.schema.earlier[-1])
    for response in (Redirect("https://example.com/spring"), Form("f", ("email",))):
        link = a_link(an_action(), response=response)
        written = first.encode(record_from_link(link))

        assert link_from_record(first.decode(written), kinds()) == link
        assert link_from_record(CODEC.decode(written), kinds()) == link


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
        {"response": a_response(WITH_RULES, "rules", when="unknown")},
        {"response": a_response(WITH_RULES, "rules", when="language", language=None)},
        {"response": a_response(WITH_RULES, "rules", when="person_known", language="nl")},
        {"response": a_response(WITH_FIELDS, "fields", type="unknown")},
        {"response": a_response(WITH_FIELDS, "fields", options=["a"])},
        {"response": a_response(WITH_FIELDS, "fields", type="choice")},
        {"response": a_response(WITH_FIELDS, "fields", name="size")},
        {"actions": [an_action_record(guard="unknown")]},
        {"actions": [an_action_record(guard="wait")]},
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


def test_a_field_need_not_be_answered_by_default() -> None:
    assert not FormField("a", "A").required


def test_only_a_redirect_leads_somewhere() -> None:
    assert url_of(Redirect("https://example.com/")) == "https://example.com/"
    assert url_of(Text("Thanks")) is None


@pytest.mark.parametrize(("rule", "period_ms"), [("cooldown", None), ("cooldown", 0), ("once", 5), ("always", 5)])
def test_a_period_belongs_to_a_cooldown_and_to_nothing_else(rule: str, period_ms: int | None) -> None:
    with pytest.raises(ValueError, match="cooldown"):
        Repeat(RepeatRule(rule), period_ms)
