"""What schemas say beside the bytes never counts; the rules are those of the Avro specification, 1.12."""

import json
from typing import Any

import pytest
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.canonical_form import canonical_form, canonical_text
from schemas.record_schema import FOLDER, load_schemas, record_schema, writer_schema
from tests.schemas.java_style import EVERY_TYPE, JAVA_STRING, as_java_registers

FILES = sorted(FOLDER.glob("*.avsc"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_the_form_of_ours_is_that_of_fastavro(path: Any) -> None:
    definition = json.loads(path.read_text())

    assert canonical_text(definition) == to_parsing_canonical_form(definition)


@pytest.mark.parametrize("schema", load_schemas().values(), ids=lambda schema: str(schema.name))
def test_attributes_do_not_change_the_fingerprint(schema: Any) -> None:
    other = as_java_registers(schema.definition)

    assert other != schema.definition
    assert canonical_form(other) == canonical_form(schema.definition)
    assert writer_schema(other).fingerprint == record_schema(other).fingerprint == schema.fingerprint


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "int", "doc": "x"}, '"int"'),
        ({"type": {"type": "string", **JAVA_STRING}}, '"string"'),
        (["null", {"type": "string", **JAVA_STRING}], '["null","string"]'),
        ({"values": "long", "type": "map", **JAVA_STRING}, '{"type":"map","values":"long"}'),
        ({"items": {"type": "bytes", "logicalType": "decimal"}, "type": "array"}, '{"type":"array","items":"bytes"}'),
        ({"size": "016", "type": "fixed", "name": "F"}, '{"name":"F","type":"fixed","size":16}'),
        (
            {"symbols": ["B", "A"], "default": "A", "type": "enum", "namespace": "n", "name": "E"},
            '{"name":"n.E","type":"enum","symbols":["B","A"]}',
        ),
        (
            {"type": "error", "namespace": "n", "name": "R", "fields": [{"order": "ignore", "type": "R", "name": "r"}]},
            '{"name":"n.R","type":"record","fields":[{"name":"r","type":"n.R"}]}',
        ),
        (
            {"type": "record", "namespace": "ignored", "name": "a.R", "fields": [{"name": "r", "type": {"type": "R"}}]},
            '{"name":"a.R","type":"record","fields":[{"name":"r","type":"a.R"}]}',
        ),
        (
            {
                "type": "record",
                "namespace": "a",
                "name": "R",
                "fields": [
                    {"name": "e", "type": {"type": "enum", "namespace": "", "name": "E", "symbols": ["A"]}},
                    {"name": "f", "type": "E"},
                ],
            },
            (
                '{"name":"a.R","type":"record","fields":[{"name":"e","type":{"name":"E","type":"enum","symbols":["A"]}},'
                '{"name":"f","type":"E"}]}'
            ),
        ),
    ],
)
def test_each_step_of_the_transformation(schema: Any, text: str) -> None:
    assert canonical_text(schema) == text


@pytest.mark.parametrize(
    ("schema", "crc_64"),
    [("null", "63dd24e7cc258f8a"), ("boolean", "9f42fc78a4d4f764"), ("int", "7275d51a3f395c8f")],
)
def test_the_fingerprint_is_the_one_that_java_computes(schema: str, crc_64: str) -> None:
    """The first of `schema-tests.txt` of Avro; its numbers are big-endian."""
    assert bytes.fromhex(fingerprint(canonical_text(schema), "CRC-64-AVRO"))[::-1].hex() == crc_64


@pytest.mark.parametrize("appended", EVERY_TYPE.values(), ids=EVERY_TYPE)
def test_any_legal_type_is_taken_of_a_writer(appended: Any) -> None:
    fields = [{"name": "a", "type": "string"}, {"name": "b", "type": appended}]
    definition = {"type": "record", "name": "Thing", "namespace": "link_actions", "fields": fields}

    assert writer_schema(definition).fingerprint == writer_schema(as_java_registers(definition)).fingerprint


@pytest.mark.parametrize("default", [0, "NaN", None, {"a": 1}])
def test_a_default_that_fastavro_refuses_does_not_matter_in_a_writer(default: Any) -> None:
    fields = [{"name": "share", "type": "double", "default": default}]

    assert writer_schema({"type": "record", "name": "Thing", "fields": fields}).form["fields"][0]["type"] == "double"
