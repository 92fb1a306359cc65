from typing import Any

import pytest
from pydantic import ValidationError

from actions.request import KIND, OpenRequest
from tests.actions.builders import click_facts, link_facts

SAMPLES: list[dict[str, Any]] = [
    {"title": "Wants {link_url}", "owner": "auto"},
    {"title": "Clicked at {clicked_at}", "priority": "high", "category": "sales", "owner": "anna"},
]


def owner_and_assignment(owner: str) -> tuple[str | None, str]:
    fields = KIND.fields(OpenRequest(title="Wants a call", owner=owner), link_facts(), None)
    return fields["owner"], fields["assignment"]


def test_a_user_id_assigns_the_request_to_that_user() -> None:
    assert owner_and_assignment("anna") == ("anna", "user")


@pytest.mark.parametrize("word", ["auto", "unassigned"])
def test_without_a_user_the_update_has_no_owner(word: str) -> None:
    assert owner_and_assignment(word) == (None, word)


def test_a_user_whose_id_is_a_symbol_of_the_wire_is_still_a_user() -> None:
    assert owner_and_assignment("unknown") == ("unknown", "user")


def test_the_title_is_filled_in() -> None:
    parameters = OpenRequest(title="{link_name} from flow {flow_id}", owner="auto", priority="high", category="sales")

    assert KIND.fields(parameters, link_facts(), click_facts(mailing_id=None, flow_id="f-1")) == {
        "title": "Spring offer from flow f-1",
        "priority": "high",
        "category": "sales",
        "assignment": "auto",
        "owner": None,
    }


def test_a_placeholder_that_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match=r"\{linkName\} is no placeholder"):
        OpenRequest(title="{linkName}", owner="auto")
