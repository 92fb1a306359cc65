import time
from collections.abc import Iterator

import pytest

from bench.registry_double import RegistryDouble, running_registry
from consumer.codecs import reading_codec, writing_codec
from consumer.errors import Unavailable
from consumer.registry import SchemaRegistry, connect_registry
from schemas.bad_record import BadRecord, Reason
from schemas.record_schema import Json, load_schemas
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


def test_a_schema_that_the_registry_has_is_looked_up_and_not_registered_again(
    double: RegistryDouble, registry: SchemaRegistry
) -> None:
    first = registry.id_of("a-value", RECORD)
    double.read_only = True
    other = connect_registry(double.url)

    assert other.id_of("a-value", RECORD) == first
    assert len(double.subjects["a-value"]) == 1
    other.close()


def test_every_version_of_a_subject_is_read_by_id(registry: SchemaRegistry) -> None:
    later: Json = {**RECORD, "fields": [*RECORD["fields"], {"name": "colour", "type": "string", "default": "red"}]}
    ids = [registry.id_of("a-value", RECORD), registry.id_of("a-value", later)]

    assert registry.definitions_of("a-value") == {ids[0]: RECORD, ids[1]: later}
    assert registry.definitions_of("unknown-value") == {}


def test_what_is_written_with_a_registry_is_framed_with_its_id_and_read_again(registry: SchemaRegistry) -> None:
    codec = writing_codec(TOPIC, HITS, registry)
    value = codec.encode(a_value(HITS.definition))

    assert value[0] == 0
    assert reading_codec(TOPIC, HITS, registry).decode(value) == a_value(HITS.definition)
    with pytest.raises(BadRecord) as raised:
        reading_codec(TOPIC, HITS, None).decode(value)
    assert raised.value.reason is Reason.UNKNOWN_SCHEMA


def test_a_reader_with_a_registry_still_accepts_single_object_encoding(registry: SchemaRegistry) -> None:
    value = writing_codec(TOPIC, HITS, None).encode(a_value(HITS.definition))

    assert value[:2] == b"\xc3\x01"
    assert reading_codec(TOPIC, HITS, registry).decode(value) == a_value(HITS.definition)


def test_a_registered_schema_that_could_crash_a_decoder_is_refused(registry: SchemaRegistry) -> None:
    recursive: Json = {"type": "record", "name": "Loop", "fields": [{"name": "next", "type": ["null", "Loop"]}]}
    identifier = registry.id_of(f"{TOPIC}-value", recursive)
    frames = reading_codec(TOPIC, HITS, registry).writers

    assert b"\x00" + identifier.to_bytes(4, "big") not in frames


def test_a_registry_that_is_away_is_said_at_once_and_without_its_address() -> None:
    registry = connect_registry("http://user:hunter2@127.0.0.1:1")
    started = time.monotonic()
    with pytest.raises(Unavailable, match="mend LINK_ACTIONS_SCHEMA_REGISTRY_URL") as raised:
        registry.definitions_of("a-value")

    assert time.monotonic() - started < stretched(5)
    assert "hunter2" not in str(raised.value)


def test_a_registry_that_refuses_is_quoted(double: RegistryDouble, registry: SchemaRegistry) -> None:
    double.read_only = True
    with pytest.raises(Unavailable, match="Subject is in read-only mode"):
        registry.id_of("a-value", RECORD)


def test_something_else_than_a_registry_is_unavailable(double: RegistryDouble, registry: SchemaRegistry) -> None:
    double.broken = True
    with pytest.raises(Unavailable, match="does not answer as it should"):
        registry.definitions_of("a-value")
