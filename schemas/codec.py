"""Whole records to bytes and back, by fastavro: the frame first, then the body."""

from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from typing import Any, cast

from fastavro import schemaless_reader, schemaless_writer

from schemas.bad_record import BadRecord, Reason
from schemas.record_schema import RecordSchema
from schemas.walk import Walk

SINGLE_OBJECT = b"\xc3\x01"
"""Marker of single-object encoding (Avro specification 1.12); eight bytes of fingerprint follow."""

CONFLUENT = b"\x00"
"""Magic byte of the schema registry's frame; a four-byte big-endian schema id follows."""


def single_object_frame(schema: RecordSchema) -> bytes:
    """Return the ten bytes before the body: marker and fingerprint."""
    return SINGLE_OBJECT + schema.fingerprint


def confluent_frame(schema_id: int) -> bytes:
    """Return the five bytes before the body: magic 0 and the registry's id."""
    return CONFLUENT + schema_id.to_bytes(4, "big")


def frame_length(value: bytes) -> int:
    """Return how many bytes of the value are frame, told by its first byte.

    Raises BadRecord where the value is empty, cut off inside the frame, or starts with neither frame.
    """
    if not value:
        raise BadRecord(Reason.EMPTY_VALUE, "the value has no bytes")
    length = 10 if value[:2] == SINGLE_OBJECT else 5 if value[:1] == CONFLUENT else 0
    if not length and value != SINGLE_OBJECT[:1]:
        raise BadRecord(Reason.UNKNOWN_FRAME, "the first bytes are neither C3 01 nor 00")
    if not length or len(value) < length:
        raise BadRecord(Reason.TRUNCATED, "the value ends inside the frame")
    return length


class Codec:
    """Reads and writes one record type.

    `writers` is the allow-list: the frames that may precede a body, and the schema each was written with.
    """

    def __init__(self, schema: RecordSchema, frame: bytes | None = None) -> None:
        self.schema = schema
        self.frame = frame or single_object_frame(schema)
        self.writers: dict[bytes, RecordSchema] = {
            **{single_object_frame(each): each for each in (*schema.earlier, schema)},
            self.frame: schema,
        }

    def allow(self, frames: Iterable[tuple[bytes, RecordSchema]]) -> "Codec":
        """Accept bodies written with these schemas too; of a frame that is known, what is known of it stays."""
        self.writers = {**dict(frames), **self.writers}
        return self

    def encode(self, record: dict[str, Any]) -> bytes:
        """Return frame and body. Raises ValueError or TypeError where the record does not fit the schema."""
        return self.frame + encode_body(self.schema.parsed, record)

    def encode_for_earlier_readers(self, record: dict[str, Any]) -> bytes:
        """Return frame and body by the oldest schema that holds the whole record.

        A definition whose actions are all of known kinds then stays readable to programs that lack the kinds added
        since. In a registry's frame it is always the current schema: readers get that from the registry.
        Raises ValueError or TypeError where the record does not fit the schema.
        """
        if self.frame == single_object_frame(self.schema):
            for schema in reversed(self.schema.earlier):
                with suppress(ValueError, TypeError):
                    return single_object_frame(schema) + encode_body(schema.parsed, record)
        return self.encode(record)

    def decode(self, value: bytes) -> dict[str, Any]:
        """Return the record; unions of records come as (name, record).

        Raises only BadRecord, whatever is wrong with the bytes.
        """
        length = frame_length(value)
        writer = self.writers.get(value[:length])
        if writer is None:
            raise BadRecord(Reason.UNKNOWN_SCHEMA, f"no schema is known for the frame {value[:length].hex()}")
        return decode_body(writer, self.schema, value[length:])


def encode_body(parsed: dict[str, Any], record: dict[str, Any]) -> bytes:
    """Encode one record without a frame."""
    buffer = BytesIO()
    schemaless_writer(buffer, parsed, record, strict_allow_default=True)
    return buffer.getvalue()


def decode_body(writer: RecordSchema, reader: RecordSchema, body: bytes) -> dict[str, Any]:
    """Decode one record and insist that the bytes are a record of the writer's schema, and all of them.

    fastavro alone takes a negative union or enum index for one counted from the end and ignores trailing bytes. Raises
    BadRecord.
    """
    walk = Walk(body)
    walk.skip(writer.form, writer.name)
    walk.end()
    resolved = None if writer is reader else reader.parsed
    try:
        record = schemaless_reader(BytesIO(body), writer.parsed, resolved, return_record_name=True)
    except (EOFError, IndexError, TypeError, ValueError, OverflowError, KeyError, StopIteration) as error:
        raise BadRecord(Reason.MALFORMED, f"the body cannot be decoded ({type(error).__name__})") from error
    return cast("dict[str, Any]", record)


def encode_text(text: bytes) -> bytes:
    """Encode UTF-8 bytes as Avro does: their number, then they themselves."""
    return encode_number(len(text)) + text


def encode_number(number: int) -> bytes:
    """Encode an int or long of 64 bits as Avro does: zigzag, then seven bits a byte, the lowest first."""
    rest = (number << 1) ^ (number >> 63)
    if rest < 0x80:
        return bytes((rest,))
    if rest < 0x4000:
        return bytes((rest & 0x7F | 0x80, rest >> 7))
    encoded = bytearray()
    while rest >= 0x80:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)
