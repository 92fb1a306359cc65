import json
import time
from collections.abc import Iterator

import pytest

from bench.registry_double import RegistryDouble, running_registry
from runtime.errors import Unavailable
from runtime.registry.codecs import reading_codec, writing_codec
from runtime.registry.registry import SchemaRegistry, connect_registry
from schemas.bad_record import BadRecord, Reason
from schemas.codec import confluent_frame, encode_body, single_object_frame
from schemas.record_schema import Json, load_schemas, record_schema
from tests.schemas.java_style import as_java_registers
from tests.support.patience import stretched

TOPIC = "link.hits.v1"
HITS = load_schemas()["LinkHits"]
RECORD: Json = {"type": "record", "name": "Thing", "fields": [{"name": "size", "type": "long"}]}


@pytest.fixture
def double() -> Iterator[RegistryDouble]:
    with running_registry() as double:
        yield double


@pytest.fixture
def registry(double: RegistryDouble) -> Iterator[SchemaRegistry]:
    registry = connect_registry(double.url)
    yield registry
    registry.close()


def a_value(schema: Json) -> Json:
    plain = {"string": "x", "long": 1, "int": 1, "boolean": False}
    return {field["name"]: plain[field["type"]] if isinstance(field["type"], str) else 1 for field in schema["fields"]}


def test_known_schema_is_not_registered_again(double: RegistryDouble, registry: SchemaRegistry) -> None:
    first = registry.id_of("a-value", RECORD)
    double.read_only = True
    other = connect_registry(double.url)

    assert other.id_of("a-value", RECORD) == first
    assert len(double.subjects["a-value"]) == 1
    other.close()


def test_equivalent_schema_is_not_registered_again(double: RegistryDouble, registry: SchemaRegistry) -> None:
    subject = f"{TOPIC}-value"
    double.register(subject, '"no record"')
    others = double.register(subject, json.dumps(as_java_registers(HITS.definition)))
    double.read_only = True

    assert registry.id_of(subject, HITS.definition) == others


def test_different_schema_is_registered(double: RegistryDouble, registry: SchemaRegistry) -> None:
    renamed = RECORD | {"fields": [{"name": "length", "type": "long"}]}
    others = double.register("a-value", json.dumps(as_java_registers(renamed)))

    assert registry.id_of("a-value", RECORD) != others


def test_equivalent_writer_schema_is_read_in_both_encodings(double: RegistryDouble, registry: SchemaRegistry) -> None:
    later = {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9}}
    definition = HITS.definition | {"fields": [*HITS.definition["fields"], later]}
    text = json.dumps(as_java_registers(definition))
    identifier = double.register(f"{TOPIC}-value", text)
    codec = reading_codec(TOPIC, HITS, registry)
    body = encode_body(HITS.parsed, a_value(HITS.definition)) + b"\x02\x01"

    for frame in (confluent_frame(identifier), single_object_frame(record_schema(definition))):
        assert codec.decode(frame + body) == a_value(HITS.definition)


def test_schema_reference_is_resolved(double: RegistryDouble, registry: SchemaRegistry) -> None:
    subject = f"{TOPIC}-value"
    colour = {"type": "enum", "name": "Colour", "namespace": "web", "symbols": ["RED", "BLUE"]}
    device = {"type": "record", "name": "Device", "namespace": "web", "fields": [{"name": "colour", "type": "Colour"}]}
    fields = [{"name": "device", "type": "web.Device"}, {"name": "second", "type": "web.Colour"}]
    double.register("colour", json.dumps(colour))
    referring = double.register("device", json.dumps(device))
    double.references[referring] = [{"name": "web.Colour", "subject": "colour", "version": 1}]
    later = double.register(subject, json.dumps(HITS.definition | {"fields": [*HITS.definition["fields"], *fields]}))
    double.references[later] = [{"name": "web.Device", "subject": "device", "version": 1}]
    body = encode_body(HITS.parsed, a_value(HITS.definition)) + b"\x02\x00"

    assert reading_codec(TOPIC, HITS, registry).decode(confluent_frame(later) + body) == a_value(HITS.definition)


def test_unresolvable_schema_reference_is_kept(double: RegistryDouble, registry: SchemaRegistry) -> None:
    double.register("colour", "{}")
    definition = {"type": "record", "name": "Thing", "fields": [{"name": "colour", "type": "web.Colour"}]}
    identifier = double.register("a-value", json.dumps(definition))
    double.references[identifier] = [{"name": "web.Colour", "subject": "colour", "version": 1}]

    assert registry.definitions_of("a-value") == {identifier: definition}


def test_every_version_of_a_subject_is_read_by_id(registry: SchemaRegistry) -> None:
    later: Json = {**RECORD, "fields": [*RECORD["fields"], {"name": "colour", "type": "string", "default": "red"}]}
    ids = [registry.id_of("a-value", RECORD), registry.id_of("a-value", later)]

    assert registry.definitions_of("a-value") == {ids[0]: RECORD, ids[1]: later}
    assert registry.definitions_of("unknown-value") == {}


def test_registry_codec_round_trip(registry: SchemaRegistry) -> None:
    codec = writing_codec(TOPIC, HITS, registry)
    value = codec.encode(a_value(HITS.definition))

    assert value[0] == 0
    assert reading_codec(TOPIC, HITS, registry).decode(value) == a_value(HITS.definition)
    with pytest.raises(BadRecord) as raised:
        reading_codec(TOPIC, HITS, None).decode(value)
    assert raised.value.reason is Reason.UNKNOWN_SCHEMA


def test_reader_with_registry_accepts_single_object_encoding(registry: SchemaRegistry) -> None:
    value = writing_codec(TOPIC, HITS, None).encode(a_value(HITS.definition))

    assert value[:2] == b"\xc3\x01"
    assert reading_codec(TOPIC, HITS, registry).decode(value) == a_value(HITS.definition)


def test_unsafe_registered_schema_is_refused(registry: SchemaRegistry) -> None:
    recursive: Json = {"type": "record", "name": "Loop", "fields": [{"name": "next", "type": ["null", "Loop"]}]}
    identifier = registry.id_of(f"{TOPIC}-value", recursive)
    frames = reading_codec(TOPIC, HITS, registry).writers

    assert b"\x00" + identifier.to_bytes(4, "big") not in frames


def test_unreachable_registry_is_reported_without_its_address() -> None:
    registry = connect_registry("http://user:hunter2@127.0.0.1:1")
    started = time.monotonic()
    with pytest.raises(Unavailable, match="fix LINK_ACTIONS_SCHEMA_REGISTRY_URL") as raised:
        registry.definitions_of("a-value")

    assert time.monotonic() - started < stretched(5)
    assert "hunter2" not in str(raised.value)


def test_registry_error_is_quoted(double: RegistryDouble, registry: SchemaRegistry) -> None:
    double.read_only = True
    with pytest.raises(Unavailable, match="Subject is in read-only mode"):
        registry.id_of("a-value", RECORD)


def test_other_server_than_a_registry_is_unavailable(double: RegistryDouble, registry: SchemaRegistry) -> None:
    double.broken = True
    with pytest.raises(Unavailable, match="The schema registry failed"):
        registry.definitions_of("a-value")
