import json
from typing import Any

import pytest

from actions.guard import Guard
from actions.link import LinkStatus
from actions.repeat import Repeat, RepeatRule
from actions.response import Form, Redirect, Response, Text
from cli.link_tables import show_changes, show_link, show_links
from consumer.links.link_reference import LinkReference
from consumer.links.listing import describe_period, link_as_json
from consumer.links.published import UnreadableVersion, WithdrawnVersion
from consumer.links.versioning import Change, NextVersion
from tests.actions.builders import a_link, an_action, samples_of
from tests.actions.test_link import WITH_FIELDS, WITH_RULES
from tests.links.builders import KINDS, links_in

SIZE: dict[str, Any] = {"field": "size", "value": "[bold]XL"}


def test_links_are_listed_with_their_identity(capsys: pytest.CaptureFixture[str]) -> None:
    show_links([a_link(an_action()), a_link(link_id="old", status=LinkStatus.DELETED, version=7)], as_json=False)

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["link", "status", "version", "epoch", "actions", "name"],
        ["acme/spring", "active", "1", "0", "1", "Spring", "offer"],
        ["acme/old", "deleted", "7", "0", "0", "Spring", "offer"],
        ["2", "links"],
    ]


def test_link_without_a_valid_time_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_links([a_link(defined_at=2**63 - 1)], as_json=True)

    assert str(2**63 - 1) in capsys.readouterr().out


def test_unreadable_link_is_reported_beside_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    new = LinkReference("acme", "new")
    broken, withdrawn = UnreadableVersion(new, 3, "broken", newer=False), WithdrawnVersion(new, 4)
    show_links([broken, withdrawn, a_link()], as_json=True)
    said = capsys.readouterr()

    assert said.err.splitlines() == [
        "warn: acme/new version 3 cannot be read (broken); publish the link again, which creates a newer version",
        "warn: acme/new version 4 was withdrawn: its record has no value, so the version counts as never published",
    ]
    assert json.loads(said.out)["id"] == "spring"


def test_long_list_is_complete_with_one_line_per_link(capsys: pytest.CaptureFixture[str]) -> None:
    show_links([a_link(link_id=f"link-{number}", name="n" * 200) for number in range(1000)], as_json=False)

    assert len(capsys.readouterr().out.splitlines()) == 1002


def test_link_is_shown_with_actions_and_without_markup(capsys: pytest.CaptureFixture[str]) -> None:
    rule = Repeat(RepeatRule.COOLDOWN, 5_400_000)
    show_link(a_link(an_action("set_field", repeat=rule, **SIZE), response=Form("f", ("email",))), as_json=False)
    shown = capsys.readouterr().out

    assert "response    form: id: f prefill: [email]" in shown
    assert "cooldown: 90m" in shown
    assert "field: size, value: [bold]XL" in shown


def test_a_link_without_actions_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_link(a_link(), as_json=False)

    assert capsys.readouterr().out.endswith("\nno actions\n")


def test_preview_shows_changes_and_counts_unchanged_links(capsys: pytest.CaptureFixture[str]) -> None:
    changes = [Change.CREATED, Change.UNCHANGED, Change.UNCHANGED, Change.RESET]
    show_changes([NextVersion(change, a_link(link_id=change.value)) for change in changes], as_json=False)
    shown = capsys.readouterr().out

    assert "acme/unchanged" not in shown
    assert shown.endswith("1 created, 1 reset, 2 unchanged\n")


def test_preview_without_links_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_changes([], as_json=False)

    assert capsys.readouterr().out == "no links\n"


def test_guards_have_a_column_if_there_are_any(capsys: pytest.CaptureFixture[str]) -> None:
    show_link(a_link(an_action(guard=Guard.CONFIRM), an_action("script", slot=1)), as_json=False)
    shown = [line.split() for line in capsys.readouterr().out.splitlines()[-3:]]

    assert [line[:5] for line in shown] == [
        ["action", "slot", "kind", "repeat", "guard"],
        ["interest-0", "0", "interest", "once", "confirm"],
        ["script-1", "1", "script", "once", "none"],
    ]


def test_rules_are_shown_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    show_link(a_link(response=WITH_RULES), as_json=False)

    assert (
        "response    redirect: [when: person_known to: https://example.com/person, "
        "when: company_known to: https://example.com/company, "
        "when: language: nl to: https://example.com/nl, else: https://example.com/]"
    ) in capsys.readouterr().out


@pytest.mark.parametrize(
    "response", [Redirect("https://example.com/"), WITH_RULES, Text("Thanks"), Form("f", ("email",)), WITH_FIELDS]
)
@pytest.mark.parametrize("guard", Guard)
@pytest.mark.parametrize("kind", KINDS)
def test_shown_link_is_valid_in_a_file(kind: str, guard: Guard, response: Response) -> None:
    published = a_link(an_action(kind, guard=guard, **samples_of(kind)[-1]), response=response)
    shown = link_as_json(published)
    action = {name: value for name, value in shown["actions"][0].items() if name != "slot"}
    written = {"id": "spring", "name": "Spring offer", "response": shown["response"], "actions": [action]}

    (link,) = links_in(json.dumps({"tenant": "acme", "links": [written]}))

    assert link.response == published.response
    assert link.actions[0].parameters == published.actions[0].parameters
    assert link.actions[0].repeat == published.actions[0].repeat
    assert link.actions[0].guard == published.actions[0].guard


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(1000, "1s"), (90_000, "90s"), (5_400_000, "90m"), (86_400_000, "1d"), (90_000_000, "25h"), (1500, "PT1.5S")],
)
def test_period_uses_its_largest_whole_unit(milliseconds: int, text: str) -> None:
    assert describe_period(milliseconds) == text
