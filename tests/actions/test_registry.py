from dataclasses import replace
from types import ModuleType
from typing import Any, Literal

import pytest

from actions import interest, link, script, set_field
from actions.kind import ActionParameters
from actions.registry import KindMismatch, kinds_of
from schemas.record_schema import RecordSchema, load_schemas, record_schema
from tests.actions.builders import kinds
from tests.actions.test_every_kind import FIRST_RELEASE


def a_module(name: str, kind: Any) -> ModuleType:
    module = ModuleType(f"actions.{name}")
    module.__dict__["KIND"] = kind
    return module


def only(*updates: str) -> dict[str, RecordSchema]:
    return {name: schema for name, schema in load_schemas().items() if name in {*updates, "LinkClicked"}}


def set_field_with(parameters: type[ActionParameters]) -> ModuleType:
    return a_module("set_field", replace(set_field.KIND, parameters=parameters))


def test_the_folder_holds_the_six_kinds_of_the_first_release() -> None:
    assert set(kinds()) >= FIRST_RELEASE


def test_every_kind_lies_under_its_own_name() -> None:
    assert all(name == kind.name for name, kind in kinds().items())


def test_a_module_without_a_kind_is_passed_over() -> None:
    assert list(kinds_of([link, set_field], only("SetField"))) == ["set_field"]


def test_a_kind_must_be_named_like_its_module() -> None:
    with pytest.raises(KindMismatch, match=r"actions/put_field.py names its kind 'set_field'"):
        kinds_of([a_module("put_field", set_field.KIND)], only("SetField"))


def test_a_kind_must_be_a_kind() -> None:
    with pytest.raises(KindMismatch, match=r"KIND of actions/set_field.py is not a Kind but str"):
        kinds_of([a_module("set_field", "set_field")], only("SetField"))


def test_a_kind_must_make_an_update_that_has_a_schema() -> None:
    with pytest.raises(KindMismatch, match="no update record of that name"):
        kinds_of([set_field], only("RunScript"))


def test_a_kind_cannot_make_a_record_that_is_no_update() -> None:
    with pytest.raises(KindMismatch, match="no update record of that name"):
        kinds_of([a_module("set_field", replace(set_field.KIND, update="LinkClicked"))], only("SetField"))


def test_every_update_must_have_a_kind() -> None:
    with pytest.raises(KindMismatch, match="'RunScript', and no module of actions/ makes it"):
        kinds_of([set_field], only("SetField", "RunScript"))


def test_two_kinds_cannot_share_an_update() -> None:
    twin = a_module("put_field", replace(set_field.KIND, name="put_field"))

    with pytest.raises(KindMismatch, match="put_field and set_field all make 'SetField'"):
        kinds_of([twin, set_field], only("SetField"))


def test_the_parameters_must_have_the_names_of_the_schema() -> None:
    class Renamed(ActionParameters):
        name: str
        value: str

    with pytest.raises(KindMismatch, match="are name, value; the schema of SetField has field, value"):
        kinds_of([set_field_with(Renamed)], only("SetField"))


def test_the_parameters_must_have_the_types_of_the_schema() -> None:
    class Numbered(ActionParameters):
        field: str
        value: int

    with pytest.raises(KindMismatch, match=r"'value' of the kind 'set_field' takes integer; .* has string"):
        kinds_of([set_field_with(Numbered)], only("SetField"))


def test_the_parameters_must_be_optional_where_the_schema_says_so_and_only_there() -> None:
    class Unsure(ActionParameters):
        field: str
        value: str | None = None

    with pytest.raises(KindMismatch, match=r"takes null or string; .* has string"):
        kinds_of([set_field_with(Unsure)], only("SetField"))


def test_the_choices_must_be_the_symbols_of_the_schema_without_the_unknown_one() -> None:
    class Lenient(ActionParameters):
        operation: Literal["add", "remove", "unknown"]
        interest: str
        scope: Literal["person", "company"] = "person"

    with pytest.raises(KindMismatch, match=r"takes 'add' or 'remove' or 'unknown'; .* has 'add' or 'remove'"):
        kinds_of(
            [a_module("interest", replace(interest.KIND, parameters=Lenient))],
            only("ChangeInterest"),
        )


def test_no_parameter_has_a_name_that_every_action_has_in_a_link_file() -> None:
    definition = load_schemas()["SetField"].definition
    fields = [*definition["fields"][:-1], {"name": "repeat", "type": "string"}]
    renamed = record_schema({**definition, "fields": fields})

    class Repeating(ActionParameters):
        field: str
        repeat: str

    with pytest.raises(KindMismatch, match="has a parameter 'repeat', a word that every action has"):
        kinds_of([set_field_with(Repeating)], {"SetField": renamed})


def test_fields_that_the_click_computes_are_no_parameters() -> None:
    assert list(script.RunScript.model_fields) == ["script", "script_version", "parameters"]
