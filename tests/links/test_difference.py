"""Differences between the next version and the one in force, and their consequences for people."""

import pytest

from actions.guard import Guard
from actions.repeat import Repeat, RepeatRule
from actions.response import Redirect, RedirectCondition, RedirectRule
from consumer.links.desired import DesiredLink
from consumer.links.difference import differences_of, meanings_of
from consumer.links.history import Histories
from consumer.links.versioning import NextVersion, next_deletions, next_epochs, next_resets, next_versions
from tests.links.builders import ANNA, SPRING, add_planned, an_action, histories_of, wants, wants_field


def published(*links: DesiredLink) -> Histories:
    histories = histories_of()
    for link in links:
        add_planned(histories, next_versions([link], histories, ANNA))
    return histories


def planned(*links: DesiredLink) -> NextVersion:
    """Publish all but the last, and compute its next version."""
    (version,) = next_versions(links[-1:], published(*links[:-1]), ANNA)
    return version


def test_changed_fact_shows_old_and_new_value() -> None:
    version = planned(
        wants(wants_field("a"), wants_field("b"), wants_field("gone")),
        wants(
            wants_field("new", "x"),
            wants_field("b", "no"),
            wants_field("a"),
            name="Summer",
            response=Redirect("https://example.com/summer"),
        ),
    )

    assert list(differences_of(version)) == [
        'name: "Spring offer" → "Summer"',
        'response: redirect: "https://example.com/spring" → redirect: "https://example.com/summer"',
        "action gone is removed",
        'action new is added: kind: "set_field", field: "new", value: "x", repeat: "once"',
        'action b: value: "yes" → "no"',
        "order of the actions: a, b, gone → new, b, a",
    ]
    assert list(meanings_of(version)) == [
        "the next clicks get the new response, also from mails already sent",
        "action gone stops with this version; updates already sent stay as they are",
        "action new is new: it also applies to people who clicked before, at their next click",
        "action b uses the new parameters from the next click on; people who had it before do not get it again",
    ]


def test_removed_action_does_not_change_the_order() -> None:
    version = planned(wants(wants_field("a"), wants_field("b")), wants(wants_field("b")))

    assert list(differences_of(version)) == ["action a is removed"]


def test_returning_action_is_not_new_to_earlier_recipients() -> None:
    version = planned(wants(wants_field("a")), wants(), wants(wants_field("a")))

    assert list(meanings_of(version)) == [
        "action a is back; if it applies once, people who had it before do not get it again"
    ]


@pytest.mark.parametrize(
    ("old", "new", "meaning"),
    [
        ("once", "always", "it applies again at every click"),
        ("once", "once_per_mailing", "it applies again, once in each mailing or flow run"),
        ("once", "cooldown", "it applies again once the last time is at least 1d ago"),
        ("always", "cooldown", "it applies again to everyone, at their next click, and then once per period"),
        ("once_per_mailing", "once", "it applies once more to everyone, at their next click"),
        ("always", "once", "it applies once more to everyone, at their next click"),
        ("cooldown", "once", "people who had it before do not get it again"),
    ],
)
def test_changed_repeat_rule_explains_consequence(old: str, new: str, meaning: str) -> None:
    version = planned(*(wants(wants_field("a", repeat=a_repeat(rule))) for rule in (old, new)))

    assert list(meanings_of(version)) == [f"action a: {meaning}"]


@pytest.mark.parametrize(
    ("old", "new", "difference", "meanings"),
    [
        (
            Guard.NONE,
            Guard.CONFIRM,
            'action a: guard: "none" → "confirm"',
            [
                "clicks from now on show a page with a button to confirm, also from mails already sent",
                "action a: only clicks that a person confirms with a button act",
            ],
        ),
        (
            Guard.CONFIRM,
            Guard.NONE,
            'action a: guard: "confirm" → "none"',
            [
                "clicks from now on show no page with a button to confirm",
                "action a: every click acts again, confirmed or not",
            ],
        ),
    ],
)
def test_changed_guard_explains_consequence(old: Guard, new: Guard, difference: str, meanings: list[str]) -> None:
    version = planned(*(wants(wants_field("a", guard=guard)) for guard in (old, new)))

    assert list(differences_of(version)) == [difference]
    assert list(meanings_of(version)) == meanings


def test_changed_rules_are_shown() -> None:
    rules = (RedirectRule(RedirectCondition.LANGUAGE, "https://example.com/nl", "nl"),)
    version = planned(wants(), wants(response=Redirect("https://example.com/spring", rules)))

    (difference,) = differences_of(version)
    assert difference == (
        'response: redirect: "https://example.com/spring" → redirect: [{"when": {"language": "nl"}, '
        '"to": "https://example.com/nl"}, {"else": "https://example.com/spring"}]'
    )
    assert list(meanings_of(version)) == ["the next clicks get the new response, also from mails already sent"]


def a_repeat(rule: str) -> Repeat:
    return Repeat(RepeatRule(rule), 86_400_000 if rule == "cooldown" else None)


def test_new_name_is_reported_if_texts_use_it() -> None:
    call = an_action("request", "call", title="About {link_name}", owner="auto")

    assert "texts with {link_name} use the new name from the next click on" in meanings_of(
        planned(wants(call), wants(call, name="New"))
    )
    assert not list(meanings_of(planned(wants(wants_field("a")), wants(wants_field("a"), name="New"))))


def test_reset_explains_who_counts_as_new() -> None:
    histories = published(wants(wants_field("a"), wants_field("b", repeat=a_repeat("always"))))
    (version,) = next_resets(next_epochs([SPRING], histories), histories, ANNA)

    assert list(differences_of(version)) == ["epoch: 0 → 1"]
    assert list(meanings_of(version)) == [
        "the epoch goes from 0 to 1: everyone who clicked counts as new, and the hits start at zero",
        "its actions can apply again to everyone: a",
        "clicks that name version 1 or earlier stay in the epoch of that version",
        "this cannot be undone; updates already sent stay as they are",
    ]


def test_deletion_explains_that_link_still_works() -> None:
    (version,) = next_deletions([SPRING], published(wants(wants_field("a"))), ANNA)

    (meaning,) = meanings_of(version)
    assert meaning.startswith("it is no longer listed; it still redirects, because mails link to it")
    assert meaning.endswith("and its actions continue: a; to stop them, publish it without actions")


def test_new_and_unchanged_links_have_no_consequences() -> None:
    for version in (planned(wants(wants_field("a"))), planned(wants(), wants())):
        assert not [*differences_of(version), *meanings_of(version)]
