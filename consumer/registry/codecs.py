"""Codecs of topics: single-object encoding, or the registry's frame where there is a registry."""

from collections.abc import Iterator

import structlog

from consumer.registry.registry import SchemaRegistry
from schemas.codec import Codec, confluent_frame, single_object_frame
from schemas.record_schema import RecordSchema, writer_schema
from schemas.safety import UnsafeSchema


def writing_codec(topic: str, schema: RecordSchema, registry: SchemaRegistry | None) -> Codec:
    """Return the codec for what is written to a topic: the registry's frame where there is one, else our own."""
    return Codec(schema, writing_frame(topic, schema, registry))


def writing_frame(topic: str, schema: RecordSchema, registry: SchemaRegistry | None) -> bytes | None:
    """Return what stands before a body of this topic; None is the codec's own choice, single-object encoding."""
    return None if registry is None else confluent_frame(registry.id_of(subject_of(topic), schema.definition))


def reading_codec(topic: str, schema: RecordSchema, registry: SchemaRegistry | None) -> Codec:
    """Return the codec for what is read from a topic: both frames, and every version the registry has of it."""
    return Codec(schema).allow(registered_writers(topic, registry))


def registered_writers(topic: str, registry: SchemaRegistry | None) -> Iterator[tuple[bytes, RecordSchema]]:
    """Yield frame and schema of every version that may stand in a topic, in either framing.

    A version that could make a decoder crash is left out: records written with it become dead letters.
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
    """Return the name under which a registry keeps the schemas of a topic's values (TopicNameStrategy)."""
    return f"{topic}-value"
