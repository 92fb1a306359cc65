"""Parameters of a kind in a link definition: a record in a union, derived from the kind's update."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import combinations
from typing import Any

Json = dict[str, Any]

SHARED_FIELDS = 10
"""Number of LinkClicked fields (identity and shared) that every update starts with."""

UPDATE_FIELDS = ("update_id", "link_version", "epoch", "action_id")
"""Fields after the shared ones in every update, before the parameters of the kind."""


def is_update(definition: Json) -> bool:
    """Return whether the record is an update, which makes subscribers change the CRM."""
    names = [field["name"] for field in definition["fields"]]
    return tuple(names[SHARED_FIELDS : SHARED_FIELDS + len(UPDATE_FIELDS)]) == UPDATE_FIELDS


def parameters_record(update: Json) -> Json:
    """Derive the record that a link definition holds for this kind of update.

    It has the update's own fields without those marked `"in_link": false` (computed at the click); where
    `in_link` names a type, that type.
    """
    fields = update["fields"][SHARED_FIELDS + len(UPDATE_FIELDS) :]
    kept = [_parameter(field) for field in fields if field.get("in_link") is not False]
    return {"type": "record", "name": update["name"] + "Parameters", "doc": update["doc"], "fields": kept}


def extended_definitions(link_defined: Json, updates: Iterable[Json]) -> list[Json]:
    """Return LinkDefined with every choice of the updates that its union of parameters does not name yet.

    A new kind needs no edit of `link_defined.avsc`, but it changes the schema, and definitions that were published
    before it must stay readable, whichever of the other new kinds there were by then. The first has them all.
    """
    present = {branch["name"] for branch in _parameter_branches(link_defined)}
    new = [update for update in updates if parameters_record(update)["name"] not in present]
    choices = (choice for size in range(len(new), -1, -1) for choice in combinations(new, size))
    return [_extended(link_defined, choice) for choice in choices]


def _extended(link_defined: Json, updates: Iterable[Json]) -> Json:
    extended = deepcopy(link_defined)
    branches = _parameter_branches(extended)
    named = {name for branch in branches for name in _names_defined(branch)}
    for update in updates:
        record = parameters_record(update)
        branches.append(_refer_to_known(record, named))
        named |= set(_names_defined(record))
    return extended


def _parameter(field: Json) -> Json:
    parameter = {name: value for name, value in field.items() if name != "in_link"}
    if isinstance(field.get("in_link"), str):
        parameter["type"] = field["in_link"]
        parameter.pop("default", None)
    return parameter


def _parameter_branches(link_defined: Json) -> list[Json]:
    actions = next(field for field in link_defined["fields"] if field["name"] == "actions")
    parameters = next(field for field in actions["type"]["items"]["fields"] if field["name"] == "parameters")
    branches: list[Json] = parameters["type"]
    return branches


def _names_defined(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _names_defined(item)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "enum", "fixed"):
            yield schema["name"]
        for value in schema.values():
            yield from _names_defined(value)


def _refer_to_known(schema: Any, named: set[str]) -> Any:
    """Replace the second definition of a named type by its name, as Avro asks."""
    if isinstance(schema, list):
        return [_refer_to_known(item, named) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "enum" and schema["name"] in named:
        return schema["name"]
    return {key: _refer_to_known(value, named) for key, value in schema.items()}
