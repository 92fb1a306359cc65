from typing import Any, Literal

import pytest

from actions.kind import (
    ActionParameters,
    Kind,
    changes_nothing_twice,
    needs_person,
    parameters_as_fields,
    same_for_every_click,
)
from actions.link import Action
from actions.repeat import Repeat
from edge.pages.effects import MAX_SHOWN_CHARACTERS, effect_of
from edge.pages.language import LANGUAGES
from tests.actions.builders import an_action, click_facts, link_facts
from tests.edge.pages.parsed import parsed

FOLLOW_UP = {"description": "Hot lead", "created_by": "anna", "default_recipient": "bo"}


def effect(kind: str, language: str = "en", **parameters: Any) -> str:
    return effect_of(an_action(kind, **parameters), link_facts(), click_facts(), language)


@pytest.mark.parametrize(
    ("kind", "parameters", "sentence"),
    [
        ("set_field", {"field": "size", "value": "XL"}, "The field “size” in your details will be set to “XL”."),
        (
            "add_to_field",
            {"field": "score", "amount": "-5"},
            "The number in the field “score” in your details will change by -5.",
        ),
        ("set_field", {"field": "size", "value": ""}, "The field “size” in your details will be emptied."),
        ("interest", {"operation": "add", "interest": "news"}, "The interest “news” will be added to your details."),
        (
            "interest",
            {"operation": "remove", "interest": "news", "scope": "company"},
            "The interest “news” will be removed from the details of your company.",
        ),
        (
            "membership",
            {"operation": "add", "target": "project", "target_id": "7"},
            "You will be added to the project “7”.",
        ),
        (
            "membership",
            {"operation": "remove", "target": "service_selection", "target_id": "7"},
            "You will be removed from the list “7”.",
        ),
        ("follow_up", {"type": "task", **FOLLOW_UP}, "One of our employees will receive a task that concerns you."),
        (
            "follow_up",
            {"type": "appointment", **FOLLOW_UP},
            "An appointment with you will be added to the calendar of one of our employees.",
        ),
        (
            "request",
            {"title": "Call about {link_name}", "owner": "auto"},
            "A request titled “Call about Spring offer” will be opened for you with our customer service.",
        ),
        ("script", {"script": "sync"}, "The automatic process “sync” will be started for you."),
    ],
)
def test_sentence_of_an_action(kind: str, parameters: dict[str, Any], sentence: str) -> None:
    assert effect(kind, **parameters).replace("<bdi>", "").replace("</bdi>", "") == sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_are_data(language: str) -> None:
    hostile = "\"><script>alert('1')</script>{field}&amp;\u202e\x00"
    sentence = effect("set_field", language, field="size", value=hostile)

    assert parsed(sentence.encode()).tags() == [("bdi", []), ("bdi", [])]
    assert (
        "<bdi>&quot;&gt;&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;{field}&amp;amp;\u202e\ufffd</bdi>" in sentence
    )


def test_a_long_value_is_cut() -> None:
    assert f"<bdi>{'x' * MAX_SHOWN_CHARACTERS}…</bdi>" in effect("set_field", field="size", value="x" * 10_000)


class GivePoints(ActionParameters):
    points: int
    reason: Literal["visit", "order"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_kind_has_a_general_sentence(language: str) -> None:
    kind = Kind(
        name="give_points",
        update="GivePoints",
        parameters=GivePoints,
        needs=needs_person,
        fields=parameters_as_fields,
        per_click=same_for_every_click,
        changes=changes_nothing_twice,
    )
    action = Action("a", 0, Repeat(), kind, GivePoints(points=5, reason="visit"))

    assert "<bdi>give_points</bdi>" in effect_of(action, link_facts(), click_facts(), language)
