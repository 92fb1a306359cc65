from typing import Any

import pytest
from pydantic import ValidationError

from actions.follow_up import KIND, CreateFollowUp
from tests.actions.builders import NOON, click_facts, link_facts

SAMPLES: list[dict[str, Any]] = [
    {"type": "task", "description": "Call back", "created_by": "anna", "assign_to_our_contact": True},
    {
        "type": "appointment",
        "description": "Clicked {link_name} in mailing {mailing_id}",
        "project": "p-1",
        "task_type": "phone-call",
        "created_by": "anna",
        "default_recipient": "bo",
        "duration_minutes": 30,
        "next_available_time": True,
        "as_invitation": True,
    },
]


def a_follow_up(**parameters: Any) -> CreateFollowUp:
    written = {"type": "task", "description": "Call", "created_by": "anna", "default_recipient": "bo"}
    return CreateFollowUp.model_validate(written | parameters)


def test_what_the_link_leaves_open_the_update_leaves_open() -> None:
    assert KIND.fields(a_follow_up(), link_facts(), None) == {
        "type": "task",
        "description": "Call",
        "project": None,
        "task_type": None,
        "created_by": "anna",
        "assign_to_our_contact": False,
        "default_recipient": "bo",
        "duration_minutes": None,
        "next_available_time": False,
        "as_invitation": False,
    }


def test_the_description_is_filled_in_from_link_and_click() -> None:
    parameters = a_follow_up(description="{link_name} ({link_id}) in {mailing_id} at {clicked_at}")

    fields = KIND.fields(parameters, link_facts(), click_facts(mailing_id="m-7", clicked_at=NOON))

    assert fields["description"] == "Spring offer (spring) in m-7 at 2026-11-25T12:00:00Z"


def test_a_description_that_names_only_the_link_is_the_same_for_every_click() -> None:
    assert not KIND.per_click(a_follow_up(description="{link_name} {link_id} {link_url}"))
    assert KIND.per_click(a_follow_up(description="{flow_id}"))


def test_a_follow_up_that_nobody_would_get_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="no one would get the follow-up"):
        a_follow_up(default_recipient=None)


def test_our_contact_is_enough_to_get_it() -> None:
    assert a_follow_up(default_recipient=None, assign_to_our_contact=True).assign_to_our_contact


@pytest.mark.parametrize("duration", [0, -30, 2**31])
def test_a_duration_is_a_positive_number_that_the_wire_can_carry(duration: int) -> None:
    with pytest.raises(ValidationError, match="duration_minutes"):
        a_follow_up(duration_minutes=duration)


def test_a_placeholder_that_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match=r"\{person_name\} is no placeholder"):
        a_follow_up(description="Call {person_name}")


def test_two_tasks_are_not_one_change() -> None:
    assert KIND.changes(a_follow_up()) is None
