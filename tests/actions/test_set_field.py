from typing import Any

import pytest
from pydantic import ValidationError

from actions.set_field import KIND, SetField
from tests.actions.builders import click_facts, link_facts

SAMPLES: list[dict[str, Any]] = [{"field": "size", "value": "XL"}, {"field": "size", "value": ""}]


def test_the_update_says_field_and_value_as_the_link_does() -> None:
    parameters = SetField(field="size", value="XL {link_name}")

    assert KIND.fields(parameters, link_facts(), click_facts()) == {"field": "size", "value": "XL {link_name}"}


def test_an_empty_value_empties_the_field() -> None:
    assert KIND.fields(SetField(field="size", value=""), link_facts(), None)["value"] == ""


def test_a_field_has_a_name() -> None:
    with pytest.raises(ValidationError, match="field"):
        SetField(field="", value="XL")


def test_two_values_are_two_changes_of_one_thing() -> None:
    assert KIND.changes(SetField(field="size", value="L")) == KIND.changes(SetField(field="size", value="XL"))
    assert KIND.changes(SetField(field="size", value="L")) != KIND.changes(SetField(field="colour", value="L"))
