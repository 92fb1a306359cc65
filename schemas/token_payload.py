"""The payload of a link's token: flags, ids and numbers, packed.

    flags       1 byte, test 01, person 02, company 04, mailing 08, flow and its run 10, sent_at 20, link_count 40,
                extensions 80
    ids         link and recipient, then those that the flags name: person, company, mailing, flow and flow run
    sent_at     varint, minutes since 2024-01-01 UTC
    link_count  varint
    extensions  (type, length, bytes) each, up to the end; type 0 is padding up to the end. A reader refuses an odd type
                that it does not know, and skips an even one

An id begins with one byte. 00llllll: l bytes of UTF-8. 01llllll: a decimal number from 1 on in l big-endian bytes.
10000000: a UUID in lower case, 16 bytes. 11llllll and one more byte: UTF-8 whose length has those 14 bits.
A varint is unsigned LEB128, as in Protocol Buffers.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

EPOCH_MS = 1_704_067_200_000
"""2024-01-01 UTC, where the minutes of `sent_at` begin."""
MINUTE_MS = 60_000
MAX_ID_BYTES = 0x3FFF
MAX_LINK_COUNT = 2**31
"""One above the largest int of Avro, which `link_count` is in a click."""
PADDING = b"\x00"
_SEPARATOR = b"\x1f"
"""It separates ids in the names that update ids are made of (`schemas.identity`)."""

_TEXT, _NUMBER, _UUID, _LONG = 0x00, 0x40, 0x80, 0xC0
_KIND, _LENGTH = 0xC0, 0x3F
_DECIMAL = re.compile(r"[1-9][0-9]{0,150}")
_LOWER_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VARINT_BYTES = 10
_UUID_BYTES = 16


# Flags of the first byte; an enum would triple the time that it takes to open a token.
_TEST = 0x01
_PERSON = 0x02
_COMPANY = 0x04
_MAILING = 0x08
_FLOW = 0x10
_SENT_AT = 0x20
_LINK_COUNT = 0x40
_EXTENSIONS = 0x80


class BadPayload(Exception):
    """These bytes are no payload that this version can read."""


class SentLink(NamedTuple):
    """One link in one message to one recipient: what its click says beside the definition of the link.

    `sent_at_ms` is milliseconds since 1970 UTC, kept to the minute; `link_count` the number of links in the message.
    """

    link_id: str
    recipient_id: str
    person_id: str | None = None
    company_id: str | None = None
    mailing_id: str | None = None
    flow_id: str | None = None
    flow_run_id: str | None = None
    sent_at_ms: int | None = None
    link_count: int | None = None
    is_test: bool = False


def pack(sent: SentLink) -> bytes:
    """Return the payload.

    Raises ValueError for half a flow, a number below 0, a `link_count` of 2^31 or more, and an id that is blank, too
    long or holds U+001F: no worker would take its clicks.
    """
    if (sent.flow_id is None) != (sent.flow_run_id is None):
        raise ValueError("flow_id and flow_run_id go together: give both or neither")
    if sent.link_count is not None and sent.link_count >= MAX_LINK_COUNT:
        raise ValueError(f"link_count is {sent.link_count}, and a click takes less than 2^31")
    flags = _TEST if sent.is_test else 0
    packed = [_pack_id(sent.link_id), _pack_id(sent.recipient_id)]
    for flag, given in (
        (_PERSON, sent.person_id),
        (_COMPANY, sent.company_id),
        (_MAILING, sent.mailing_id),
        (_FLOW, sent.flow_id),
        (_FLOW, sent.flow_run_id),
    ):
        if given is not None:
            flags |= flag
            packed.append(_pack_id(given))
    for flag, number in ((_SENT_AT, _minutes(sent.sent_at_ms)), (_LINK_COUNT, sent.link_count)):
        if number is not None:
            flags |= flag
            packed.append(_pack_number(number))
    return bytes([flags]) + b"".join(packed)


def padded(payload: bytes) -> bytes:
    """Return the payload with one byte of padding."""
    return bytes([payload[0] | _EXTENSIONS]) + payload[1:] + PADDING


def unpack(payload: bytes) -> SentLink:
    """Return what was packed. Raises BadPayload."""
    try:
        return _unpack(payload)
    except (IndexError, UnicodeDecodeError) as error:
        raise BadPayload("it ends too early or holds a text that is not UTF-8") from error


def _unpack(payload: bytes) -> SentLink:
    flags = payload[0]
    link_id, at = _read_id(payload, 1)
    recipient_id, at = _read_id(payload, at)
    person_id, at = _read_id(payload, at) if flags & _PERSON else (None, at)
    company_id, at = _read_id(payload, at) if flags & _COMPANY else (None, at)
    mailing_id, at = _read_id(payload, at) if flags & _MAILING else (None, at)
    flow_id, at = _read_id(payload, at) if flags & _FLOW else (None, at)
    flow_run_id, at = _read_id(payload, at) if flags & _FLOW else (None, at)
    minutes, at = _read_number(payload, at) if flags & _SENT_AT else (None, at)
    link_count, at = _read_number(payload, at) if flags & _LINK_COUNT else (None, at)
    if flags & _EXTENSIONS:
        at = _skip_extensions(payload, at)
    if at != len(payload):
        raise BadPayload("bytes are left over at its end")
    return SentLink(
        link_id,
        recipient_id,
        person_id,
        company_id,
        mailing_id,
        flow_id,
        flow_run_id,
        None if minutes is None else EPOCH_MS + minutes * MINUTE_MS,
        link_count,
        bool(flags & _TEST),
    )


def _minutes(sent_at_ms: int | None) -> int | None:
    return None if sent_at_ms is None else (sent_at_ms - EPOCH_MS) // MINUTE_MS


def _pack_id(text: str) -> bytes:
    if _LOWER_UUID.fullmatch(text):
        return bytes([_UUID]) + UUID(text).bytes
    if _DECIMAL.fullmatch(text):
        number = int(text)
        size = (number.bit_length() + 7) // 8
        return bytes([_NUMBER | size]) + number.to_bytes(size, "big")
    raw = text.encode()
    if not raw.strip():
        raise ValueError("an id is blank")
    if _SEPARATOR in raw:
        raise ValueError("an id holds the control character U+001F")
    if len(raw) <= _LENGTH:
        return bytes([_TEXT | len(raw)]) + raw
    if len(raw) > MAX_ID_BYTES:
        raise ValueError(f"an id has {len(raw)} bytes, and a token takes {MAX_ID_BYTES}")
    return bytes([_LONG | len(raw) >> 8, len(raw) & 0xFF]) + raw


def _pack_number(number: int) -> bytes:
    if not 0 <= number < 2**63:
        raise ValueError(f"{number} is not from 0 to 2^63-1 (times begin at 2024-01-01)")
    return bytes(_groups(number))


def _groups(number: int) -> Iterator[int]:
    while number > 0x7F:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number


# Functions that pass the offset on: a cursor object would double the time that it takes to open a token.


def _read_id(payload: bytes, at: int) -> tuple[str, int]:
    """Return the id that begins at an offset, and the offset that follows it."""
    kind, size = payload[at] & _KIND, payload[at] & _LENGTH
    begin = at + 1
    if kind == _UUID:
        if size:
            raise BadPayload("an id is of a kind that is not known")
        size = _UUID_BYTES
    elif kind == _LONG:
        size = size << 8 | payload[begin]
        begin += 1
    end = begin + size
    raw = payload[begin:end]
    if len(raw) < size:
        raise IndexError(end)
    return _id_text(kind, raw), end


def _id_text(kind: int, raw: bytes) -> str:
    if not raw:
        raise BadPayload("an id is empty")
    if kind == _NUMBER:
        if not raw[0]:
            raise BadPayload("a number begins with zero")
        return str(int.from_bytes(raw, "big"))
    return str(UUID(bytes=raw)) if kind == _UUID else raw.decode()


def _read_number(payload: bytes, at: int) -> tuple[int, int]:
    number = 0
    for group in range(_VARINT_BYTES):
        byte = payload[at + group]
        number |= (byte & 0x7F) << (7 * group)
        if byte < 0x80:
            return number, at + group + 1
    raise BadPayload("a number is too long")


def _skip_extensions(payload: bytes, at: int) -> int:
    """Return the offset after the extensions: the end."""
    while at < len(payload):
        kind = payload[at]
        if kind == 0:
            return len(payload)
        if kind % 2:
            raise BadPayload(f"extension {kind} must be understood and is not known")
        at += 2 + payload[at + 1]
    if at > len(payload):
        raise IndexError(at)
    return at
