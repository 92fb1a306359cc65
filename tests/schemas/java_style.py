"""Schemas as others write them down: the same to a reader of bytes, and full of attributes."""

from typing import Any

JAVA_STRING = {"avro.java.string": "String"}
"""What Avro's compiler for Java adds to every string, and to maps for their keys."""


def as_java_registers(schema: Any) -> Any:
    """Return the schema with attributes wherever one may be, and the keys of each object turned round."""
    if isinstance(schema, list):
        return [as_java_registers(branch) for branch in schema]
    if isinstance(schema, str):
        return {"type": "string", **JAVA_STRING} if schema == "string" else schema
    whole = {key: value for key, value in schema.items() if key not in {"doc", "logicalType"}}
    for part in ("items", "values"):
        if part in whole:
            whole[part] = as_java_registers(whole[part])
    if whole["type"] == "map":
        whole |= JAVA_STRING
    if "fields" in whole:
        whole["fields"] = [_field(field) for field in whole["fields"]]
    if "name" in whole:
        whole |= {
            "doc": "Another doc.",
            "aliases": ["Elsewhere"],
            "javaAnnotation": ["Deprecated"],
            "owner": {"type": 1},
        }
    return dict(reversed(whole.items()))


def _field(field: dict[str, Any]) -> dict[str, Any]:
    changed = {"doc": "Another doc.", "order": "ignore", "aliases": ["was"], "logicalType": "no-type-of-a-field"}
    return dict(reversed({**field, **changed, "type": as_java_registers(field["type"])}.items()))


EVERY_TYPE: dict[str, Any] = {
    "decimal": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    "decimal without a precision": {"type": "bytes", "logicalType": "decimal"},
    "decimal in a fixed that cannot hold it": {
        "type": "fixed", "name": "Amount", "size": 2, "logicalType": "decimal", "precision": 99,
    },
    "uuid": {"type": "string", "logicalType": "uuid"},
    "uuid in a fixed": {"type": "fixed", "name": "Uuid", "size": 16, "logicalType": "uuid"},
    "date": {"type": "int", "logicalType": "date"},
    "time-millis": {"type": "int", "logicalType": "time-millis"},
    "time-micros": {"type": "long", "logicalType": "time-micros"},
    "timestamp-millis": {"type": "long", "logicalType": "timestamp-millis"},
    "timestamp-micros": {"type": "long", "logicalType": "timestamp-micros"},
    "timestamp-nanos": {"type": "long", "logicalType": "timestamp-nanos"},
    "local-timestamp-millis": {"type": "long", "logicalType": "local-timestamp-millis"},
    "local-timestamp-micros": {"type": "long", "logicalType": "local-timestamp-micros"},
    "duration": {"type": "fixed", "name": "Length", "size": 12, "logicalType": "duration"},
    "logical type that nobody knows": {"type": "int", "logicalType": "colour", "scale": "blue"},
    "boolean": "boolean",
    "float": "float",
    "double": {"type": "double", "unit": "seconds"},
    "bytes": "bytes",
    "null": "null",
    "string of Java": {"type": "string", **JAVA_STRING},
    "maybe string of Java": ["null", {"type": "string", **JAVA_STRING}],
    "string before null": [{"type": "string", **JAVA_STRING}, "null"],
    "numbers of two sizes": ["int", "long", "float", "double"],
    "text, bytes or symbol": ["null", "string", "bytes", {"type": "enum", "name": "Word", "symbols": ["x", "y"]}],
    "map of Java": {"type": "map", "values": {"type": "string", **JAVA_STRING}, **JAVA_STRING},
    "array of maps": {"type": "array", "items": {"type": "map", "values": ["null", "long"]}},
    "enum": {"type": "enum", "name": "Colour", "symbols": ["RED", "BLUE"], "default": "RED", "doc": "A colour."},
    "fixed with its size in quotes": {"type": "fixed", "name": "Four", "size": "4"},
    "record": {
        "type": "record",
        "name": "Device",
        "namespace": "elsewhere",
        "fields": [
            {"name": "kind", "type": {"type": "enum", "name": "DeviceKind", "symbols": ["PHONE", "OTHER"]}},
            {"name": "second", "type": ["null", "DeviceKind"], "default": None},
            {"name": "third", "type": {"type": "elsewhere.DeviceKind", "owner": "web"}},
            {"name": "load", "type": "double", "default": 0},
        ],
    },
    "record of the name of another in another namespace": {
        "type": "record",
        "name": "x.Part",
        "fields": [
            {"name": "inner", "type": {"type": "record", "name": "y.Part", "fields": [{"name": "n", "type": "int"}]}},
        ],
    },
    "record used again by its name": {
        "type": "array",
        "items": [
            {"type": "record", "name": "Pair", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "int"}]},
            {"type": "map", "values": "Pair"},
        ],
    },
}  # fmt: skip
"""Types of appended fields, all of them legal; Java ignores a logical type that does not fit."""
