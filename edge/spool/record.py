"""A record in a segment: length and CRC-32 of a body, the body, and a byte that ends it.

length     4 bytes, little-endian, of the body; 0 where nothing has been written yet
checksum   4 bytes, CRC-32 of the body
body       topic 1, timestamp 8 (milliseconds since 1970 UTC), key length 2, key, value
end        0xA5. A process that dies while it writes leaves zeros instead: that record was never answered
"""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple
from zlib import crc32

HEADER = Struct("<II")
_BODY = Struct("<BqH")
MAX_BODY_BYTES = 262_144
END = b"\xa5"
_NOT_WRITTEN = b"\x00"


class SpooledTopic(IntEnum):
    """The topic of a record. The numbers are on disk, so they are never reused."""

    CLICKS = 1
    FORMS = 2


_TOPICS = {int(topic): topic for topic in SpooledTopic}


class DamagedRecord(Exception):
    """These bytes are not what was written."""


class UnfinishedRecord(Exception):
    """The process died while it wrote this record, so it had not answered yet."""


class SpooledRecord(NamedTuple):
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


def records_in(buffer: bytes) -> Iterator[tuple[SpooledRecord, int]]:
    """Yield each whole record of a buffer that begins with one, and the offset that follows it.

    Ends where nothing has been written yet, or the buffer has only a part. Raises DamagedRecord, or UnfinishedRecord.
    """
    begin, last = 0, len(buffer) - HEADER.size
    while begin <= last:
        length, checksum = HEADER.unpack_from(buffer, begin)
        if length > MAX_BODY_BYTES or 0 < length < _BODY.size:
            raise DamagedRecord(f"no body has {length} bytes")
        body_begin = begin + HEADER.size
        end = body_begin + length + len(END)
        if not length or end > len(buffer):
            return
        yield _decode(buffer[body_begin : end - len(END)], checksum, buffer[end - len(END) : end]), end
        begin = end


def _decode(body: bytes, checksum: int, ending: bytes) -> SpooledRecord:
    if ending == _NOT_WRITTEN:
        raise UnfinishedRecord
    if ending != END or crc32(body) != checksum:
        raise DamagedRecord("the checksum does not match")
    topic, timestamp_ms, key_bytes = _BODY.unpack_from(body)
    key_end = _BODY.size + key_bytes
    if topic not in _TOPICS or key_end > len(body):
        raise DamagedRecord("its topic or its key cannot be")
    return SpooledRecord(_TOPICS[topic], timestamp_ms, body[_BODY.size : key_end], body[key_end:])
