"""The parsing canonical form of schemas (Avro specification 1.12): only what decoding needs."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
RECORDS = ("record", "error")
"""Both are records on the wire; the canonical form has one word for them."""


def canonical_form(schema: Any, elsewhere: Mapping[str, Any] = MappingProxyType({})) -> Any:
    """Return the schema with full names, and without attributes, logical types, docs, aliases and defaults.

    `elsewhere` has schemas by full name that it refers to and does not hold; each is put where it is first named. Two
    schemas are the same if their forms are equal. Raises KeyError, TypeError or ValueError for what is no schema.
    """
    return _Form((), elsewhere).of(schema, "")


def form_with_defaults(schema: Any) -> Any:
    """Return the canonical form, with the defaults that a reader needs of what an earlier writer did not have."""
    return _Form(("default",)).of(schema, "")


def canonical_text(schema: Any) -> str:
    """Return the form as the text that fingerprints are computed of."""
    return json.dumps(canonical_form(schema), separators=(",", ":"), ensure_ascii=False)


def spelt_out(form: Any) -> Any:
    """Return a form with each name replaced by its definition. It must be safe: a recursive form would not end."""
    return _spelt_out(form, {})


class _Form:
    """One walk through a schema; `keep` names what stays beyond the canonical form."""

    def __init__(self, keep: tuple[str, ...], elsewhere: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._keep = keep
        self._elsewhere = dict(elsewhere)
        self._names: set[str] = set()

    def of(self, schema: Any, namespace: str) -> Any:
        if isinstance(schema, str):
            name = self._reference(schema, namespace)
            return self.of(self._elsewhere.pop(name), "") if name in self._elsewhere else name
        if isinstance(schema, list):
            return [self.of(branch, namespace) for branch in schema]
        kind = schema["type"]
        if kind == "array":
            return {"type": kind, "items": self.of(schema["items"], namespace)}
        if kind == "map":
            return {"type": kind, "values": self.of(schema["values"], namespace)}
        if kind in ("enum", "fixed", *RECORDS):
            return self._named(schema, namespace)
        # A primitive or a name, with its own attributes.
        return self.of(kind, namespace)

    def _named(self, schema: dict[str, Any], namespace: str) -> dict[str, Any]:
        name = schema["name"]
        if "." not in name:
            name = _joined(schema.get("namespace", namespace) or "", name)
        self._names.add(name)
        kind = schema["type"]
        if kind == "fixed":
            return {"name": name, "type": kind, "size": int(schema["size"])}
        if kind == "enum":
            return {"name": name, "type": kind, "symbols": list(schema["symbols"]), **self._kept(schema)}
        inside = name.rpartition(".")[0]
        fields = [
            {"name": field["name"], "type": self.of(field["type"], inside), **self._kept(field)}
            for field in schema["fields"]
        ]
        return {"name": name, "type": "record", "fields": fields}

    def _reference(self, name: str, namespace: str) -> str:
        """Return the full name; as in Java, one without a namespace if the namespace around has no such type."""
        if name in PRIMITIVES or "." in name:
            return name
        full_name = _joined(namespace, name)
        return name if full_name not in self._names and name in self._names else full_name

    def _kept(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {key: schema[key] for key in self._keep if key in schema}


def _joined(namespace: str, name: str) -> str:
    return f"{namespace}.{name}" if namespace else name


def _spelt_out(form: Any, named: dict[str, Any]) -> Any:
    if isinstance(form, str):
        return named.get(form, form)
    if isinstance(form, list):
        return [_spelt_out(branch, named) for branch in form]
    whole = dict(form)
    for part in ("items", "values"):
        if part in form:
            whole[part] = _spelt_out(form[part], named)
    if "fields" in form:
        whole["fields"] = [{**field, "type": _spelt_out(field["type"], named)} for field in form["fields"]]
    if "name" in form:
        named[form["name"]] = whole
    return whole
