"""Schemas under which a few bytes would crash or stall a decoder are refused before anything is decoded."""

from typing import Any

import pytest

from schemas.record_schema import FOLDER, load_schemas, record_schema
from schemas.safety import MAX_DEPTH, MAX_PARTS, UnsafeSchema, check_safe


def a_record(*types: Any, name: str = "Thing", **extra: Any) -> dict[str, Any]:
    fields = [{"name": f"field_{number}", "type": each} for number, each in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields, **extra}


def nested(depth: int) -> Any:
    schema: Any = "string"
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def each_ten_of_the_one_before(depth: int, innermost: str) -> dict[str, Any]:
    """Records of ten records of ten records: small to write, huge once written out."""
    schema: Any = innermost
    for level in range(depth):
        schema = a_record(schema, *([f"L{level - 1}" if level else innermost] * 9), name=f"L{level}")
    return a_record(schema, name="Whole")


UNSAFE = {
    "a record in itself": a_record(["null", "Thing"]),
    "a record in itself, by its full name": a_record(["null", "ours.Thing"], name="ours.Thing"),
    "a record in itself, by its name in its namespace": a_record(["null", "ours.Thing"], namespace="ours"),
    "a record in itself, named with a namespace and called without": a_record(["null", "Thing"], name="ours.Thing"),
    "a list of itself": a_record({"type": "array", "items": "Thing"}),
    "a map of itself": a_record({"type": "map", "values": "Thing"}),
    "two records in each other": a_record(a_record(["null", "Thing"], name="Other")),
    "an error in itself": a_record(["null", "Thing"]) | {"type": "error"},
    "nothing but lists of lists": a_record(nested(40)),
    "a list of nulls": a_record({"type": "array", "items": "null"}),
    "a list of nulls, spelt out": a_record({"type": "array", "items": {"type": "null"}}),
    "a list of empty records": a_record({"type": "array", "items": a_record(name="Empty")}),
    "a list of empty errors": a_record({"type": "array", "items": a_record(name="Empty") | {"type": "error"}}),
    "a list of records of nulls": a_record({"type": "array", "items": a_record("null", "null", name="Nulls")}),
    "a list of fixed of no size": a_record({"type": "array", "items": {"type": "fixed", "name": "None", "size": 0}}),
    "a list of a type of no size by its name": a_record(a_record(name="Empty"), {"type": "array", "items": "Empty"}),
    "a list of a type of no size by its full name": a_record(
        a_record(name="ours.Empty"), {"type": "array", "items": "ours.Empty"}
    ),
    "a list of a fixed of no size by its name": a_record(
        {"type": "fixed", "name": "None", "size": 0}, {"type": "array", "items": "None"}
    ),
    "a list of nulls beside a record of that name": a_record(
        a_record("string", name="null"), {"type": "array", "items": "null"}
    ),
    "a list of nulls in the second branch of a union": a_record(["null", {"type": "array", "items": "null"}]),
    "a list of nulls in a map": a_record({"type": "map", "values": {"type": "array", "items": "null"}}),
    "a billion nulls in no byte at all": each_ten_of_the_one_before(9, "null"),
    "a billion texts": each_ten_of_the_one_before(9, "string"),
}


@pytest.mark.parametrize("schema", UNSAFE.values(), ids=UNSAFE.keys())
def test_it_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UnsafeSchema):
        check_safe(schema)


@pytest.mark.parametrize("name", ["a record in itself", "a list of nulls"])
def test_it_is_refused_where_schemas_are_loaded(name: str) -> None:
    with pytest.raises(UnsafeSchema):
        record_schema(UNSAFE[name])


SAFE = {
    "a null": a_record("null"),
    "a list of texts": a_record({"type": "array", "items": "string"}),
    "a list of maybe": a_record({"type": "array", "items": ["null", "string"]}),
    "a list of lists": a_record({"type": "array", "items": {"type": "array", "items": "int"}}),
    "a map of nulls": a_record({"type": "map", "values": "null"}),
    "a list of fixed": a_record({"type": "array", "items": {"type": "fixed", "name": "Four", "size": 4}}),
    "an enum used twice": a_record({"type": "enum", "name": "E", "symbols": ["a"]}, {"type": "array", "items": "E"}),
    "a record used twice": a_record(a_record("string", name="Part"), ["null", "Part"]),
    "a logical type": a_record({"type": {"type": "long", "logicalType": "timestamp-millis"}}),
    "a depth of twelve": a_record(nested(12)),
}


@pytest.mark.parametrize("schema", SAFE.values(), ids=SAFE.keys())
def test_it_is_taken(schema: dict[str, Any]) -> None:
    record_schema(schema)


def test_our_own_are_taken() -> None:
    assert len(load_schemas()) == len(list(FOLDER.glob("*.avsc")))


@pytest.mark.parametrize(
    ("largest", "one_more"),
    [
        (a_record(nested(MAX_DEPTH - 1)), a_record(nested(MAX_DEPTH))),
        (a_record(*["string"] * (MAX_PARTS - 1)), a_record(*["string"] * MAX_PARTS)),
    ],
    ids=["depth", "number of types"],
)
def test_the_limit_may_be_reached_and_not_passed(largest: dict[str, Any], one_more: dict[str, Any]) -> None:
    check_safe(largest)
    with pytest.raises(UnsafeSchema):
        check_safe(one_more)
