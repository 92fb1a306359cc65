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
from dataclasses import dataclass
from uuid import UUID

EPOCH_MS = 1_704_067_200_000
"""2024-01-01 UTC, where the minutes of `sent_at` begin."""
MINUTE_MS = 60_000
MAX_ID_BYTES = 0x3FFF
PADDING = b"\x00"

_TEXT, _NUMBER, _UUID, _LONG = 0x00, 0x40, 0x80, 0xC0
_KIND, _LENGTH = 0xC0, 0x3F
_DECIMAL = re.compile(r"[1-9][0-9]{0,150}")
_LOWER_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VARINT_BYTES = 10


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


@dataclass(frozen=True, slots=True)
class SentLink:
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
    """Return the payload. Raises ValueError for an id that is empty or too long, half a flow, a number below 0."""
    if (sent.flow_id is None) != (sent.flow_run_id is None):
        raise ValueError("flow_id and flow_run_id go together: give both or neither")
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
        return _unpack(_Cursor(payload))
    except (IndexError, UnicodeDecodeError) as error:
        raise BadPayload("it ends too early or holds a text that is not UTF-8") from error


def _unpack(cursor: "_Cursor") -> SentLink:
    flags = cursor.byte()
    sent = SentLink(
        link_id=cursor.id(),
        recipient_id=cursor.id(),
        person_id=cursor.id() if flags & _PERSON else None,
        company_id=cursor.id() if flags & _COMPANY else None,
        mailing_id=cursor.id() if flags & _MAILING else None,
        flow_id=cursor.id() if flags & _FLOW else None,
        flow_run_id=cursor.id() if flags & _FLOW else None,
        sent_at_ms=EPOCH_MS + cursor.number() * MINUTE_MS if flags & _SENT_AT else None,
        link_count=cursor.number() if flags & _LINK_COUNT else None,
        is_test=bool(flags & _TEST),
    )
    if flags & _EXTENSIONS:
        cursor.skip_extensions()
    cursor.require_end()
    return sent


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
    if not raw:
        raise ValueError("an id is empty")
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


class _Cursor:
    """Reads a payload from front to back. Raises IndexError at its end."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._next = 0

    def byte(self) -> int:
        byte = self._payload[self._next]
        self._next += 1
        return byte

    def id(self) -> str:
        head = self.byte()
        kind, size = head & _KIND, head & _LENGTH
        if kind == _UUID:
            if size:
                raise BadPayload("an id is of a kind that is not known")
            return str(UUID(bytes=self._take(16)))
        if kind == _NUMBER:
            return str(self._integer(size))
        raw = self._take(size << 8 | self.byte() if kind == _LONG else size)
        if not raw:
            raise BadPayload("an id is empty")
        return raw.decode()

    def number(self) -> int:
        number = 0
        for group in range(_VARINT_BYTES):
            byte = self.byte()
            number |= (byte & 0x7F) << (7 * group)
            if byte < 0x80:
                return number
        raise BadPayload("a number is too long")

    def skip_extensions(self) -> None:
        while self._next < len(self._payload):
            kind = self.byte()
            if kind == 0:
                self._next = len(self._payload)
            elif kind % 2:
                raise BadPayload(f"extension {kind} must be understood and is not known")
            else:
                self._take(self.byte())

    def require_end(self) -> None:
        if self._next < len(self._payload):
            raise BadPayload("bytes are left over at its end")

    def _integer(self, size: int) -> int:
        raw = self._take(size)
        if not size or not raw[0]:
            raise BadPayload("a number begins with zero")
        return int.from_bytes(raw, "big")

    def _take(self, size: int) -> bytes:
        taken = self._payload[self._next : self._next + size]
        if len(taken) < size:
            raise IndexError(size)
        self._next += size
        return taken
