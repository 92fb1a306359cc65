from typing import Any

import pytest

from actions.membership import KIND, ChangeMembership
from tests.actions.builders import link_facts

SAMPLES: list[dict[str, Any]] = [
    {"operation": "add", "target": "crm_selection", "target_id": "4711"},
    {"operation": "remove", "target": "project", "target_id": "p-1"},
]


@pytest.mark.parametrize("target", ["crm_selection", "service_selection", "project"])
@pytest.mark.parametrize("operation", ["add", "remove"])
def test_the_update_says_what_the_link_says(operation: str, target: str) -> None:
    written = {"operation": operation, "target": target, "target_id": "4711"}

    assert KIND.fields(ChangeMembership.model_validate(written), link_facts(), None) == written


def test_selections_with_the_same_id_in_crm_and_service_are_two_things() -> None:
    crm = ChangeMembership(operation="add", target="crm_selection", target_id="1")
    service = ChangeMembership(operation="add", target="service_selection", target_id="1")

    assert KIND.changes(crm) != KIND.changes(service)


def test_joining_and_leaving_change_the_same_thing() -> None:
    joining = ChangeMembership(operation="add", target="project", target_id="1")
    leaving = ChangeMembership(operation="remove", target="project", target_id="1")

    assert KIND.changes(joining) == KIND.changes(leaving)
