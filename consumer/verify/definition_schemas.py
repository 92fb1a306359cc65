"""The schemas that a link definition may have been written with, derived from the `.avsc` files alone.

The folder has an update record for each kind of action. `link_defined.avsc` does not name kinds that were added later:
their parameters are further branches of its union of parameters, after its own, in the order of their file names. A
definition may have been written with any subset of the added kinds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from consumer.verify.update_record import DECIDED, SHARED

Json = dict[str, Any]

_FIRST_OWN = len(SHARED) + len(DECIDED)
"""Index of the first field of an update that belongs to its kind."""


def definition_schemas(files: Mapping[str, Json], earlier: Iterable[Json] = ()) -> Iterator[Json]:
    """Yield every possible schema of `LinkDefined`, the newest one with all kinds first.

    `files` are schemas by file name; `earlier` are the earlier versions of `LinkDefined`, the newest first.
    """
    updates = [files[name] for name in sorted(files) if _is_update(files[name])]
    for version in (files["link_defined"], *earlier):
        yield from _with_kinds(version, updates)


def _with_kinds(link_defined: Json, updates: Sequence[Json]) -> Iterator[Json]:
    known = {branch["name"] for branch in _branches(link_defined)}
    added = [update for update in updates if f"{update['name']}Parameters" not in known]
    for size in range(len(added), -1, -1):
        for chosen in combinations(added, size):
            yield _with_branches(link_defined, chosen)


def _is_update(schema: Json) -> bool:
    return [field["name"] for field in schema["fields"][:_FIRST_OWN]] == [*SHARED, *DECIDED]


def _branches(schema: Any) -> list[Json]:
    [actions] = [field["type"]["items"] for field in schema["fields"] if field["name"] == "actions"]
    [parameters] = [field["type"] for field in actions["fields"] if field["name"] == "parameters"]
    return list(parameters)


def _with_branches(link_defined: Json, updates: Sequence[Json]) -> Json:
    """Return a copy with the branches of the updates; a type that the schema defines already is referred to by name."""
    branches = [*_branches(link_defined), *map(_parameters, updates)]

    def copy(part: Any) -> Any:
        if isinstance(part, list):
            return [copy(each) for each in part]
        if not isinstance(part, dict):
            return part
        if part.get("name") == "parameters":
            return {**part, "type": _defined_once(branches, set())}
        return {key: copy(value) for key, value in part.items()}

    return {**link_defined, "fields": copy(link_defined["fields"])}


def _parameters(update: Json) -> Json:
    """Return the record of this kind's parameters: the fields of the update that an author writes."""
    fields = [
        {"name": field["name"], "type": field["in_link"] if isinstance(field.get("in_link"), str) else field["type"]}
        for field in update["fields"][_FIRST_OWN:]
        if field.get("in_link") is not False
    ]
    return {"type": "record", "name": f"{update['name']}Parameters", "fields": fields}


def _defined_once(part: Any, named: set[str]) -> Any:
    if isinstance(part, list):
        return [_defined_once(each, named) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") in ("enum", "fixed", "record"):
        if part["name"] in named:
            return part["name"]
        named.add(part["name"])
    return {key: _defined_once(value, named) for key, value in part.items()}
