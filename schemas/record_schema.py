"""The records of the wire: one `.avsc` file each, parsed once, known by name and by fingerprint."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from fastavro import parse_schema
from fastavro.schema import fingerprint, to_parsing_canonical_form

NAMESPACE = "link_actions"
FOLDER = Path(__file__).parent

SHARED_FIELDS = 10
"""How many fields of LinkClicked (identity and shared) stand at the start of every update."""

UPDATE_FIELDS = ("update_id", "link_version", "epoch", "action_id")
"""What follows the shared fields in every update; the parameters of the kind come after them."""

MAX_DEPTH = 16

Json = dict[str, Any]


class UnsafeSchema(Exception):
    """A schema that a decoder may not be given: recursive, too deep, or with items of zero size."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordSchema:
    """One record type. `parsed` reads times as integers: milliseconds since 1970 UTC, never `datetime`."""

    name: str
    definition: Json
    parsed: Json
    fingerprint: bytes
    """CRC-64-AVRO of the parsing canonical form, 8 bytes little-endian, as single-object encoding has it."""

    @property
    def is_update(self) -> bool:
        """Whether the record tells subscribers to change the CRM."""
        names = [field["name"] for field in self.definition["fields"]]
        return tuple(names[SHARED_FIELDS : SHARED_FIELDS + len(UPDATE_FIELDS)]) == UPDATE_FIELDS

    @property
    def parameter_fields(self) -> list[Json]:
        """The fields of an update that belong to its kind."""
        fields: list[Json] = self.definition["fields"]
        return fields[SHARED_FIELDS + len(UPDATE_FIELDS) :]


def record_schema(definition: Json) -> RecordSchema:
    """Parse and check one schema.

    Raises UnsafeSchema where a decoder could be made to crash or hang by it.
    """
    check_safe(definition)
    plain = _without_logical_types(definition)
    canonical = to_parsing_canonical_form(plain)
    return RecordSchema(
        name=definition["name"],
        definition=definition,
        parsed=cast("Json", parse_schema(plain, _write_hint=False)),
        fingerprint=bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO")),
    )


def load_schemas(folder: Path = FOLDER) -> Mapping[str, RecordSchema]:
    """Read every `.avsc` of the folder, by record name.

    Kinds whose update record `link_defined.avsc` does not name yet are added to its union of parameters, so
    that a new kind needs no edit there.
    """
    definitions = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.avsc"))}
    for stem, definition in definitions.items():
        if _snake_case(definition["name"]) != stem:
            raise ValueError(f"{stem}.avsc holds the record {definition['name']}; name the file after the record")
    if "link_defined" in definitions:
        _add_new_kinds(definitions["link_defined"], definitions.values())
    return {definition["name"]: record_schema(definition) for definition in definitions.values()}


def parameters_record(update: Json) -> Json:
    """Derive the record that a link definition holds for this kind of update.

    It has the update's own fields without those marked `"in_link": false` (computed at the click); where
    `in_link` names a type, that type.
    """
    fields = update["fields"][SHARED_FIELDS + len(UPDATE_FIELDS) :]
    kept = [_parameter(field) for field in fields if field.get("in_link") is not False]
    return {"type": "record", "name": update["name"] + "Parameters", "doc": update["doc"], "fields": kept}


def check_safe(schema: Any) -> None:
    """Refuse schemas under which decoding a few bytes may cost unbounded stack, time or memory.

    Raises UnsafeSchema. Recursion ends fastavro in a segmentation fault; an array of items of zero size turns
    five bytes into millions of objects.
    """
    _check_safe(schema, {}, (), 0)


def _check_safe(schema: Any, named: dict[str, Any], open_names: tuple[str, ...], depth: int) -> bool:
    """Return whether values of the schema may take no byte at all."""
    if depth > MAX_DEPTH:
        raise UnsafeSchema(f"nested deeper than {MAX_DEPTH}")
    if isinstance(schema, list):
        for branch in schema:
            _check_safe(branch, named, open_names, depth + 1)
        return False
    if isinstance(schema, str):
        name = schema.rpartition(".")[2]
        if name in open_names:
            raise UnsafeSchema(f"{name} contains itself")
        return _check_safe(named[name], named, open_names, depth) if name in named else schema == "null"
    return _check_complex(schema, named, open_names, depth)


def _check_complex(schema: Json, named: dict[str, Any], open_names: tuple[str, ...], depth: int) -> bool:
    kind = schema["type"]
    if kind == "record":
        named[schema["name"]] = schema
        inside = (*open_names, schema["name"])
        # A list, not a generator: every field must be checked even when an early one settles the answer.
        sizes = [_check_safe(field["type"], named, inside, depth + 1) for field in schema["fields"]]
        return all(sizes)
    if kind == "enum":
        named[schema["name"]] = {"type": "string"}
        return False
    if kind == "fixed":
        named[schema["name"]] = {"type": "string"}
        return bool(schema["size"] == 0)
    if kind in ("array", "map"):
        if _check_safe(schema.get("items", schema.get("values")), named, open_names, depth + 1) and kind == "array":
            raise UnsafeSchema("an array has items of zero size")
        return False
    return _check_safe(kind, named, open_names, depth)


def _parameter(field: Json) -> Json:
    parameter = {name: value for name, value in field.items() if name != "in_link"}
    if isinstance(field.get("in_link"), str):
        parameter["type"] = field["in_link"]
        parameter.pop("default", None)
    return parameter


def _add_new_kinds(link_defined: Json, definitions: Any) -> None:
    branches = _parameter_branches(link_defined)
    present = {branch["name"] for branch in branches}
    named = {name for branch in branches for name in _names_defined(branch)}
    for definition in definitions:
        record = parameters_record(definition)
        is_update = [field["name"] for field in definition["fields"]][SHARED_FIELDS:][:4] == list(UPDATE_FIELDS)
        if is_update and record["name"] not in present:
            branches.append(_refer_to_known(record, named))
            named |= set(_names_defined(record))


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


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_logical_types(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "logicalType" in schema:
        return schema["type"]
    return {key: _without_logical_types(value) for key, value in schema.items()}


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
