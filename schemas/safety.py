"""Which schemas a decoder may be given."""

from typing import Any

MAX_DEPTH = 16


class UnsafeSchema(Exception):
    """A schema that a decoder may not be given: recursive, too deep, or with items of zero size."""


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


def _check_complex(schema: dict[str, Any], named: dict[str, Any], open_names: tuple[str, ...], depth: int) -> bool:
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
