"""A record in a segment: length and CRC-32 of a body, the body, and a byte that ends it.

length     4 bytes, little-endian, of the body; 0 where nothing has been written yet
inverted   4 bytes, the length with every bit inverted: a damaged length must not pass for the end of what was written
checksum   4 bytes, CRC-32 of the body
body       topic 1, timestamp 8 (milliseconds since 1970 UTC), key length 2, key, value
end        0xA5. A process that dies while it writes leaves zeros instead: that record was never answered
"""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple
from zlib import crc32

HEADER = Struct("<III")
_INVERTED = 0xFFFF_FFFF
_BODY = Struct("<BqH")
MAX_BODY_BYTES = 262_144
END = b"\xa5"
MAX_RECORD_BYTES = HEADER.size + MAX_BODY_BYTES + len(END)
_NOT_WRITTEN = b"\x00"


class SpooledTopic(IntEnum):
    """The topic of a record. The numbers are on disk, so they are never reused."""

    __hash__ = int.__hash__  # that of an enumeration is Python code

    CLICKS = 1
    FORMS = 2


_TOPICS = {int(topic): topic for topic in SpooledTopic}


class DamagedRecord(Exception):
    """These bytes are not what was written."""


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
    return HEADER.pack(len(body), len(body) ^ _INVERTED, crc32(body)) + body + END


def records_in(buffer: bytes) -> Iterator[tuple[SpooledRecord, int]]:
    """Yield each whole record of a buffer that begins with one, and the offset that follows it.

    Ends at the first one that is not whole: not written yet, cut off by the end of the buffer, or never finished.
    Raises DamagedRecord.
    """
    begin, size = 0, len(buffer)
    read_header = HEADER.unpack_from
    while begin + HEADER.size <= size:
        length, inverted, checksum = read_header(buffer, begin)
        if not (length or inverted or checksum):
            return
        end = begin + HEADER.size + _checked(length, inverted) + len(END)
        if end > size or buffer[end - 1] == 0:
            return
        yield _decode(buffer[begin + HEADER.size : end - len(END)], checksum, buffer[end - 1]), end
        begin = end


def after_torn_record(tail: bytes) -> bytes:
    """Return what follows the torn record with which these bytes may begin; all of them if they begin with none.

    A record is written from front to back, so one that its process did not finish ends in zeros. Raises DamagedRecord
    if they begin with anything else.
    """
    try:
        end = _end_of(tail, 0)
    except DamagedRecord:
        if tail[HEADER.size :].strip(_NOT_WRITTEN):
            raise
        return b""  # the process died while it wrote the header
    if end is None:
        return tail
    if end > len(tail):
        raise DamagedRecord("the file is cut off")
    return tail[end - len(END) :]


def _end_of(buffer: bytes, begin: int) -> int | None:
    """Return where the record that begins here ends; None if nothing is written here. Raises DamagedRecord."""
    if begin + HEADER.size > len(buffer):
        return None
    length, inverted, checksum = HEADER.unpack_from(buffer, begin)
    if not (length or inverted or checksum):
        return None
    return begin + HEADER.size + _checked(length, inverted) + len(END)


def _checked(length: int, inverted: int) -> int:
    """Return the length of a body. Raises DamagedRecord."""
    if length != inverted ^ _INVERTED or not _BODY.size <= length <= MAX_BODY_BYTES:
        raise DamagedRecord("its length cannot be")
    return length


def _decode(body: bytes, checksum: int, ending: int) -> SpooledRecord:
    if ending != END[0] or crc32(body) != checksum:
        raise DamagedRecord("the checksum does not match")
    topic, timestamp_ms, key_bytes = _BODY.unpack_from(body)
    key_end = _BODY.size + key_bytes
    if topic not in _TOPICS or key_end > len(body):
        raise DamagedRecord("its topic or its key cannot be")
    return SpooledRecord(_TOPICS[topic], timestamp_ms, body[_BODY.size : key_end], body[key_end:])
