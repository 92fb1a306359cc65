"""Codecs of topics: Avro single-object encoding, or Confluent's wire format with a registry."""

from collections.abc import Iterator

import structlog

from runtime.registry.registry import SchemaRegistry
from schemas.codec import Codec, confluent_frame, single_object_frame
from schemas.record_schema import RecordSchema, writer_schema
from schemas.safety import UnsafeSchema


def writing_codec(topic: str, schema: RecordSchema, registry: SchemaRegistry | None) -> Codec:
    """Return the codec that writes to a topic: Confluent's wire format with a registry, else single-object encoding."""
    return Codec(schema, writing_frame(topic, schema, registry))


def writing_and_reading_codec(topic: str, schema: RecordSchema, registry: SchemaRegistry | None) -> Codec:
    """Return a codec that reads what it writes, and all that is registered: the schema is registered first."""
    codec = writing_codec(topic, schema, registry)
    return codec.allow(registered_writers(topic, registry))


def writing_frame(topic: str, schema: RecordSchema, registry: SchemaRegistry | None) -> bytes | None:
    """Return the header to write before the body; None for single-object encoding, the codec's default."""
    return None if registry is None else confluent_frame(registry.id_of(subject_of(topic), schema.definition))


def reading_codec(topic: str, schema: RecordSchema, registry: SchemaRegistry | None) -> Codec:
    """Return the codec that reads a topic: both formats, in every version that the registry has."""
    return Codec(schema).allow(registered_writers(topic, registry))


def registered_writers(topic: str, registry: SchemaRegistry | None) -> Iterator[tuple[bytes, RecordSchema]]:
    """Yield header and schema of every registered version, in both formats.

    A version that could crash a decoder is left out: its records become dead letters.
    """
    if registry is None:
        return
    for identifier, definition in registry.definitions_of(subject_of(topic)).items():
        try:
            writer = writer_schema(definition)
        except UnsafeSchema as error:
            structlog.get_logger().warning(
                "schema.refused", subject=subject_of(topic), id=identifier, reason=str(error)
            )
        else:
            yield confluent_frame(identifier), writer
            yield single_object_frame(writer), writer


def subject_of(topic: str) -> str:
    """Return the registry's subject for the values of a topic (TopicNameStrategy)."""
    return f"{topic}-value"
