"""A JSON Schema validator for the keywords that the schema of link files uses; any other keyword is an error."""

import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "object": dict,
    "array": list,
    "boolean": bool,
    "null": type(None),
    "integer": int,
}
NOTES = {"$schema", "$defs", "title", "description", "default", "discriminator", "examples"}


def is_valid(value: Any, schema: Json, root: Json) -> bool:
    """Return whether the value is valid. Raises KeyError for an unknown keyword."""
    if "$ref" in schema:
        return is_valid(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    return all(CHECKS[keyword](value, schema, root) for keyword in schema if keyword not in NOTES)


def _has_type(value: Any, schema: Json, _root: Json) -> bool:
    expected = TYPES[schema["type"]]
    return isinstance(value, expected) and (expected is not int or not isinstance(value, bool))


def _properties(value: Any, schema: Json, root: Json) -> bool:
    known = schema["properties"]
    return not isinstance(value, dict) or all(is_valid(value[key], known[key], root) for key in known if key in value)


def _additional(value: Any, schema: Json, _root: Json) -> bool:
    assert schema["additionalProperties"] is False
    return not isinstance(value, dict) or set(value) <= set(schema["properties"])


def _items(value: Any, schema: Json, root: Json) -> bool:
    return not isinstance(value, list) or all(is_valid(item, schema["items"], root) for item in value)


CHECKS: dict[str, Callable[[Any, Json, Json], bool]] = {
    "type": _has_type,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "required": lambda value, schema, _: not isinstance(value, dict) or set(schema["required"]) <= set(value),
    "enum": lambda value, schema, _: value in schema["enum"],
    "const": lambda value, schema, _: value == schema["const"],
    "oneOf": lambda value, schema, root: sum(is_valid(value, branch, root) for branch in schema["oneOf"]) == 1,
    "anyOf": lambda value, schema, root: any(is_valid(value, branch, root) for branch in schema["anyOf"]),
    "pattern": lambda value, schema, _: not isinstance(value, str) or bool(re.search(schema["pattern"], value)),
    "minLength": lambda value, schema, _: not isinstance(value, str) or len(value) >= schema["minLength"],
    "maxLength": lambda value, schema, _: not isinstance(value, str) or len(value) <= schema["maxLength"],
    "minItems": lambda value, schema, _: not isinstance(value, list) or len(value) >= schema["minItems"],
    "maxItems": lambda value, schema, _: not isinstance(value, list) or len(value) <= schema["maxItems"],
    "minimum": lambda value, schema, _: not isinstance(value, int) or value >= schema["minimum"],
    "maximum": lambda value, schema, _: not isinstance(value, int) or value <= schema["maximum"],
    "minProperties": lambda value, schema, _: not isinstance(value, dict) or len(value) >= schema["minProperties"],
    "maxProperties": lambda value, schema, _: not isinstance(value, dict) or len(value) <= schema["maxProperties"],
}
