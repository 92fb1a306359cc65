"""Whether two versions of a record can stand in for each other, by trying: sample data resolved by fastavro."""

from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO
from typing import Any, cast

from fastavro import schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from schemas.record_schema import Json, record_schema

_VALUES: dict[str, list[Any]] = {
    "null": [None],
    "boolean": [False, True],
    "int": [0, -1, 2**31 - 1],
    "long": [0, -1, 2**63 - 1],
    "float": [0.5],
    "double": [0.5],
    "bytes": [b"", b"\xff"],
    "string": ["", "Zoë"],
}


def incompatibilities(older: Json, newer: Json) -> list[str]:
    """Return a sentence for each reason why one version cannot replace the other, in either direction.

    The kinds of action may grow. What the newer writes of a kind that the older lacks, the older need not read: it
    cannot do what it does not know. Everything else that the newer writes, it must.
    """
    known = _with_kinds_of(older, newer)
    return [
        *_removed(older, newer, older["name"]),
        *(f"{older['name']}: what the older wrote the newer cannot read: {why}" for why in _unreadable(older, newer)),
        *(f"{older['name']}: what the newer wrote the older cannot read: {why}" for why in _unreadable(known, older)),
    ]


def _with_kinds_of(older: Json, newer: Json) -> Json:
    """Return the newer version without the kinds of action that the older lacks."""
    kept = deepcopy(newer)
    names = {branch["name"] for branch in _kinds(older)}
    _kinds(kept)[:] = [branch for branch in _kinds(kept) if branch["name"] in names]
    return kept


def _kinds(schema: Json) -> list[Json]:
    """Return the union of parameters in a link definition; nothing for another record."""
    if schema["name"] != "LinkDefined":
        return []
    [actions] = [field["type"]["items"] for field in schema["fields"] if field["name"] == "actions"]
    [union] = [field["type"] for field in actions["fields"] if field["name"] == "parameters"]
    return cast("list[Json]", union)


def samples(schema: Any, named: dict[str, Any] | None = None) -> list[Any]:
    """Return values such that every branch, symbol and edge of the schema is in one of them."""
    named = {} if named is None else named
    if isinstance(schema, list):
        return [_tagged(branch, value) for branch in schema for value in samples(branch, named)]
    if isinstance(schema, str):
        return _VALUES[schema] if schema in _VALUES else samples(named[schema.rpartition(".")[2]], named)
    if "name" in schema:
        named[schema["name"]] = schema
    return _samples_of_complex(schema, named)


def _samples_of_complex(schema: Json, named: dict[str, Any]) -> list[Any]:
    kind = schema["type"]
    if kind == "record":
        return _samples_of_record(schema, named)
    if kind == "enum":
        return list(schema["symbols"])
    if kind == "array":
        items = samples(schema["items"], named)
        return [[], *([item] for item in items), items]
    if kind == "map":
        return [{}, *({"Zoë": value} for value in samples(schema["values"], named))]
    return samples(kind, named)


def _samples_of_record(schema: Json, named: dict[str, Any]) -> list[Any]:
    columns = {field["name"]: samples(field["type"], named) for field in schema["fields"]}
    longest = max(map(len, columns.values()), default=1)
    return [{name: values[row % len(values)] for name, values in columns.items()} for row in range(longest)]


def _tagged(branch: Any, value: Any) -> Any:
    """Name the branch of a union where its values alone do not tell it."""
    is_record = isinstance(branch, dict) and branch["type"] == "record"
    return (f"link_actions.{branch['name']}", value) if is_record else value


def _unreadable(writer: Json, reader: Json) -> Iterator[str]:
    """Write samples with one schema and read them with the other."""
    parsed_writer, parsed_reader = record_schema(writer).parsed, record_schema(reader).parsed
    for sample in samples(writer):
        buffer = BytesIO()
        schemaless_writer(buffer, parsed_writer, sample)
        buffer.seek(0)
        try:
            schemaless_reader(buffer, parsed_writer, parsed_reader)
        except (SchemaResolutionError, ValueError, TypeError, KeyError) as error:
            yield str(error)
            return


def _removed(older: Any, newer: Any, place: str) -> Iterator[str]:
    """Find fields and symbols that are gone: a default or a renaming would hide them from resolution."""
    if isinstance(older, list) and isinstance(newer, list):
        newer_by_name = {_name(branch): branch for branch in newer}
        for branch in older:
            yield from _removed(branch, newer_by_name.get(_name(branch), branch), place)
    if not (isinstance(older, dict) and isinstance(newer, dict)):
        return
    for symbol in set(older.get("symbols", ())) - set(newer.get("symbols", ())):
        yield f"{place}: the symbol {symbol!r} is gone"
    fields = {field["name"]: field for field in newer.get("fields", ())}
    for field in older.get("fields", ()):
        inside = f"{place}.{field['name']}"
        if field["name"] not in fields:
            yield f"{inside} is gone"
        else:
            yield from _removed(field["type"], fields[field["name"]]["type"], inside)
    if "items" in older and "items" in newer:
        yield from _removed(older["items"], newer["items"], place)


def _name(branch: Any) -> str:
    return str(branch["name"] if isinstance(branch, dict) and "name" in branch else branch)
