"""The bytes of a click, field by field, so that a test can spoil any of them."""

from functools import cache

from schemas.codec import Codec
from schemas.record_schema import RecordSchema, load_schemas
from tests.builders import Record

Parts = dict[str, bytes]


def varint(number: int) -> bytes:
    """Encode a number as Avro does: zigzag, seven bits a byte, the lowest first."""
    raw, encoded = (number << 1) ^ (number >> 63), bytearray()
    while raw >= 0x80:
        encoded.append(raw & 0x7F | 0x80)
        raw >>= 7
    return bytes([*encoded, raw])


def text(value: bytes) -> bytes:
    """Encode a text as Avro does."""
    return varint(len(value)) + value


def click_frame() -> bytes:
    """Return the header of a click."""
    return Codec(_schema()).frame


def click_parts(click: Record) -> Parts:
    """Return frame and fields of a click, each as its bytes, in their order."""
    parts = {"frame": click_frame()}
    for field in _schema().definition["fields"]:
        value, nullable = click[field["name"]], isinstance(field["type"], list)
        encoded = b"" if value is None else _encode(value)
        parts[field["name"]] = (b"\x00" if value is None else b"\x02" + encoded) if nullable else encoded
    return parts


def click_bytes(click: Record, **parts: bytes) -> bytes:
    """Return the value of a click with these parts replaced."""
    return b"".join((click_parts(click) | parts).values())


@cache
def _schema() -> RecordSchema:
    return load_schemas()["LinkClicked"]


def _encode(value: str | bool | int) -> bytes:
    if isinstance(value, str):
        return text(value.encode())
    return bytes([value]) if isinstance(value, bool) else varint(value)
