"""Rejects schemas that are unsafe to decode with."""

from typing import Any

from schemas.canonical_form import canonical_form

MAX_DEPTH = 16
MAX_PARTS = 2_000
"""Maximum number of types in a schema. A named type counts at every reference, as a decoder visits it each time."""


class UnsafeSchema(Exception):
    """A schema that a decoder may not be given: recursive, too deep, too large, or with items of zero size."""


def check_safe(schema: Any) -> None:
    """Refuse schemas that let a few bytes cost a decoder unbounded stack, time or memory.

    Raises UnsafeSchema. Recursion crashes fastavro with a segmentation fault; an array of zero-size items turns
    five bytes into millions of objects, and nested records of nulls need no bytes at all.
    """
    _Check().visit(canonical_form(schema), (), 0)


class _Check:
    """One walk through a schema in canonical form, which writes each type name in only one way."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}
        self._parts = 0

    def visit(self, schema: Any, open_names: tuple[str, ...], depth: int) -> bool:
        """Return whether values of the schema may take no byte at all."""
        self._parts += 1
        if depth > MAX_DEPTH:
            raise UnsafeSchema(f"nested deeper than {MAX_DEPTH}")
        if self._parts > MAX_PARTS:
            raise UnsafeSchema(f"made of more than {MAX_PARTS} types")
        if isinstance(schema, list):
            for branch in schema:
                self.visit(branch, open_names, depth + 1)
            return False
        if isinstance(schema, str):
            return self._visit_name(schema, open_names, depth)
        return self._visit_complex(schema, open_names, depth)

    def _visit_name(self, name: str, open_names: tuple[str, ...], depth: int) -> bool:
        if name in open_names:
            raise UnsafeSchema(f"{name} contains itself")
        if name == "null":
            return True
        return name in self._named and self.visit(self._named[name], open_names, depth)

    def _visit_complex(self, schema: dict[str, Any], open_names: tuple[str, ...], depth: int) -> bool:
        kind = schema["type"]
        if kind in ("record", "enum", "fixed"):
            self._named[schema["name"]] = schema
        if kind == "record":
            inside = (*open_names, schema["name"])
            # A list, not a generator: every field must be checked even when an early one settles the answer.
            sizes = [self.visit(field["type"], inside, depth + 1) for field in schema["fields"]]
            return all(sizes)
        if kind in ("enum", "fixed"):
            return bool(kind == "fixed" and schema["size"] == 0)
        sizeless = self.visit(schema.get("items", schema.get("values")), open_names, depth + 1)
        if sizeless and kind == "array":
            raise UnsafeSchema("an array has items of zero size")
        return False
