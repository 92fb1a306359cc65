"""A record in a segment: length and CRC-32 of a body, the body, and a byte that ends it.

length     4 bytes, little-endian, of the body; 0 where nothing has been written yet
checksum   4 bytes, CRC-32 of the body
body       topic 1, timestamp 8 (milliseconds since 1970 UTC), key length 2, key, value
end        0xA5. A process that dies while it writes leaves zeros instead: that record was never answered
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from zlib import crc32

HEADER = Struct("<II")
_BODY = Struct("<BqH")
MAX_BODY_BYTES = 262_144
END = b"\xa5"


class SpooledTopic(IntEnum):
    """The topic of a record. The numbers are on disk, so they are never reused."""

    CLICKS = 1
    FORMS = 2


_TOPICS = frozenset(SpooledTopic)


class DamagedRecord(Exception):
    """These bytes are not what was written."""


class UnfinishedRecord(Exception):
    """The process died while it wrote this record, so it had not answered yet."""


@dataclass(frozen=True, slots=True)
class SpooledRecord:
    """A record as it will be produced; `timestamp_ms` is when it was answered."""

    topic: SpooledTopic
    timestamp_ms: int
    key: bytes
    value: bytes


def encode(record: SpooledRecord) -> bytes:
    """Return header and body. Raises ValueError if it is larger than a segment takes."""
    body = _BODY.pack(record.topic, record.timestamp_ms, len(record.key)) + record.key + record.value
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a record has {len(body)} bytes, and the spool takes {MAX_BODY_BYTES}")
    return HEADER.pack(len(body), crc32(body)) + body + END


def size_bytes(header: bytes) -> int:
    """Return how long the record with this header is in all, 0 where no record begins. Raises DamagedRecord."""
    length, _ = HEADER.unpack(header)
    if length > MAX_BODY_BYTES or 0 < length < _BODY.size:
        raise DamagedRecord(f"no body has {length} bytes")
    return HEADER.size + int(length) + len(END) if length else 0


def decode(encoded: bytes) -> SpooledRecord:
    """Return the record. Raises DamagedRecord, or UnfinishedRecord."""
    _, checksum = HEADER.unpack_from(encoded)
    body, end = encoded[HEADER.size : -len(END)], encoded[-len(END) :]
    if end == bytes(len(END)):
        raise UnfinishedRecord
    if end != END or crc32(body) != checksum:
        raise DamagedRecord("the checksum does not match")
    topic, timestamp_ms, key_bytes = _BODY.unpack_from(body)
    key_end = _BODY.size + key_bytes
    if topic not in _TOPICS or key_end > len(body):
        raise DamagedRecord("its topic or its key cannot be")
    return SpooledRecord(SpooledTopic(topic), timestamp_ms, body[_BODY.size : key_end], body[key_end:])
