from typing import Any

import pytest

from consumer.links.conflicts import find_conflicts
from consumer.links.desired import DesiredAction
from tests.links.builders import an_action

FOLLOW_UP: dict[str, Any] = {"type": "task", "description": "Call", "created_by": "anna", "default_recipient": "bo"}


def conflict_of(*actions: DesiredAction) -> str:
    (mistake,) = find_conflicts("spring", actions)
    return str(mistake)


def an_interest(action_id: str, operation: str = "add", scope: str = "person") -> DesiredAction:
    return an_action("interest", action_id, operation=operation, interest="news", scope=scope)


def a_membership(action_id: str, operation: str = "add", target: str = "project") -> DesiredAction:
    return an_action("membership", action_id, operation=operation, target=target, target_id="1")


def test_two_actions_with_one_id_are_a_mistake() -> None:
    assert "link spring, action a: the action in line 7 has the same id" in conflict_of(
        an_interest("a"), an_action("script", "a", script="s")
    )


@pytest.mark.parametrize("kind", ["follow_up", "script"])
def test_duplicate_action_is_a_mistake(kind: str) -> None:
    parameters: dict[str, Any] = FOLLOW_UP if kind == "follow_up" else {"script": "s"}
    twice = [an_action(kind, "a", **parameters), an_action(kind, "b", **parameters)]

    assert conflict_of(*twice).endswith("action b: it does the same as the action a in line 7; keep one of them")


def test_adding_and_removing_one_interest_is_a_mistake() -> None:
    assert conflict_of(an_interest("in"), an_interest("out", "remove")).endswith(
        "action out: it contradicts the action in in line 7: both change the person's interest 'news', "
        "with operation 'add' and 'remove'; keep one of them"
    )


def test_joining_and_leaving_one_project_is_a_mistake() -> None:
    assert "both change the membership of project '1'" in conflict_of(a_membership("in"), a_membership("out", "remove"))


def test_two_values_for_one_field_are_a_mistake() -> None:
    small = an_action("set_field", "small", field="size", value="S")
    large = an_action("set_field", "large", field="size", value="L")

    assert "both change the field 'size', with value 'S' and 'L'" in conflict_of(small, large)


def test_actions_on_different_targets_do_not_conflict() -> None:
    actions = [
        an_interest("person"),
        an_interest("company", "remove", scope="company"),
        a_membership("project"),
        a_membership("selection", "remove", target="crm_selection"),
        an_action("set_field", "size", field="size", value="news"),
        an_action("set_field", "colour", field="colour", value="news"),
        an_action("follow_up", "call", **FOLLOW_UP),
        an_action("follow_up", "meet", **{**FOLLOW_UP, "type": "appointment"}),
    ]

    assert not list(find_conflicts("spring", actions))


def test_every_pair_is_compared() -> None:
    three = [an_interest("a"), an_interest("b", "remove"), an_interest("c", "remove")]

    assert len(list(find_conflicts("spring", three))) == 3
