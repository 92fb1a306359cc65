# cython: language_level=3, boundscheck=False, wraparound=False
"""Opened tokens and recorded clicks without a Python object per field; `click_encoding_py` says what they equal.

Whatever is rare (a longer record, an id or header with other bytes than usual) is left to the Python twin.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8, PyUnicode_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from edge import click_encoding_py
from schemas.token_payload import EPOCH_MS as EPOCH, MINUTE_MS as MINUTE, SentLink

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL
    object PyUnicode_FromFormat(const char* format, ...)

cdef enum:
    # The flags of a payload (`schemas.token_payload`)
    TEST = 0x01
    PERSON = 0x02
    COMPANY = 0x04
    MAILING = 0x08
    FLOW = 0x10
    SENT_AT = 0x20
    LINK_COUNT = 0x40
    EXTENSIONS = 0x80
    # The kinds of an id
    TEXT = 0x00
    NUMBER = 0x40
    UUID = 0x80
    LONG = 0xC0
    # Branches of a union of null and something, as Avro numbers them
    NONE = 0
    SOME = 2
    ROOM = 8192
    MAX_HEADER = 512

cdef int64_t EPOCH_MS = EPOCH
cdef int64_t MINUTE_MS = MINUTE
cdef const char* DIGITS = "0123456789abcdef"


class _Rare(Exception):
    """The Python twin is to do it."""


cdef struct Cursor:
    const uint8_t* at
    const uint8_t* end


def unpack(bytes payload):
    """Return the SentLink in a payload. Raises BadPayload."""
    try:
        return read_payload(payload)
    except (_Rare, UnicodeDecodeError):
        return click_encoding_py.unpack(payload)


cdef read_payload(bytes payload):
    cdef Cursor cursor
    cursor.at = <const uint8_t*>PyBytes_AS_STRING(payload)
    cursor.end = cursor.at + PyBytes_GET_SIZE(payload)
    if cursor.at == cursor.end:
        raise _Rare
    cdef int flags = cursor.at[0]
    cursor.at += 1
    link_id = read_id(&cursor)
    recipient_id = read_id(&cursor)
    person_id = read_id(&cursor) if flags & PERSON else None
    company_id = read_id(&cursor) if flags & COMPANY else None
    mailing_id = read_id(&cursor) if flags & MAILING else None
    flow_id = read_id(&cursor) if flags & FLOW else None
    flow_run_id = read_id(&cursor) if flags & FLOW else None
    sent_at_ms = EPOCH_MS + read_number(&cursor) * MINUTE_MS if flags & SENT_AT else None
    link_count = read_number(&cursor) if flags & LINK_COUNT else None
    if flags & EXTENSIONS and cursor.at < cursor.end and cursor.at[0] == 0:
        cursor.at = cursor.end  # padding
    if cursor.at != cursor.end:
        raise _Rare
    return tuple.__new__(SentLink, (
        link_id, recipient_id, person_id, company_id, mailing_id, flow_id, flow_run_id, sent_at_ms, link_count,
        bool(flags & TEST),
    ))


cdef read_id(Cursor* cursor):
    if cursor.at == cursor.end:
        raise _Rare
    cdef int kind = cursor.at[0] & 0xC0
    cdef Py_ssize_t size = cursor.at[0] & 0x3F
    cursor.at += 1
    if kind == UUID:
        if size:
            raise _Rare
        size = 16
    elif kind == LONG:
        if cursor.at == cursor.end:
            raise _Rare
        size = size << 8 | cursor.at[0]
        cursor.at += 1
    if size == 0 or cursor.end - cursor.at < size:
        raise _Rare
    cdef const uint8_t* raw = cursor.at
    cursor.at += size
    if kind == NUMBER:
        return number_text(raw, size)
    if kind == UUID:
        return uuid_text(raw)
    return PyUnicode_DecodeUTF8(<const char*>raw, size, NULL)


cdef number_text(const uint8_t* raw, Py_ssize_t size):
    cdef uint64_t number = 0
    cdef Py_ssize_t index
    if size > 8 or raw[0] == 0:
        raise _Rare
    for index in range(size):
        number = number << 8 | raw[index]
    return PyUnicode_FromFormat(b"%llu", <unsigned long long>number)


cdef uuid_text(const uint8_t* raw):
    cdef char text[36]
    cdef Py_ssize_t index, at = 0
    for index in range(16):
        if index == 4 or index == 6 or index == 8 or index == 10:
            text[at] = b"-"
            at += 1
        text[at] = DIGITS[raw[index] >> 4]
        text[at + 1] = DIGITS[raw[index] & 15]
        at += 2
    return PyUnicode_FromStringAndSize(text, 36)


cdef int64_t read_number(Cursor* cursor) except -1:
    cdef uint64_t number = 0
    cdef int shift = 0
    while cursor.at < cursor.end and shift < 56:
        number |= <uint64_t>(cursor.at[0] & 0x7F) << shift
        cursor.at += 1
        if cursor.at[-1] < 0x80:
            return <int64_t>number
        shift += 7
    raise _Rare


cdef struct Buffer:
    uint8_t* at
    uint8_t* end


def encode_click(bytes frame, click):
    """Return an AnsweredClick as the value of its record, after the frame."""
    try:
        return write_click(frame, click)
    except _Rare:
        return click_encoding_py.encode_click(frame, click)


cdef write_click(bytes frame, click):
    cdef uint8_t room[ROOM]
    cdef Buffer out
    out.at, out.end = room, room + ROOM
    tenant_id, sent_link, version, click_id, at_ms, method, headers, client, location, is_confirmed, page = click
    cdef tuple sent = <tuple>sent_link
    given = headers
    put_bytes(&out, frame)
    put_text(&out, tenant_id)
    put_text(&out, sent[0])
    put_text(&out, sent[1])
    put_text(&out, click_id)
    put_number(&out, at_ms)
    cdef Py_ssize_t index
    for index in range(2, 7):
        put_optional_text(&out, sent[index])
    put(&out, SOME)
    put_number(&out, version)
    put(&out, <bint>sent[9])
    put(&out, <bint>is_confirmed)
    put_optional(&out, location)
    put_optional_text(&out, method)
    put_header(&out, given.get(b"user-agent"))
    put_header(&out, given.get(b"sec-purpose") or given.get(b"purpose"))
    put_optional_text(&out, client[0])
    put(&out, NONE)  # delivered_at
    if sent[8] is None:
        put(&out, NONE)
    else:
        put(&out, SOME)
        put_number(&out, sent[8])
    put_optional_text(&out, page)
    put_header(&out, given.get(b"sec-fetch-mode"))
    user = given.get(b"sec-fetch-user")
    if user is None:
        put(&out, NONE)
    else:
        put(&out, SOME)
        put(&out, <bint>(user == b"?1"))
    put_optional_text(&out, client[1])
    put(&out, 0)  # replayed
    return PyBytes_FromStringAndSize(<char*>room, out.at - room)


cdef int put(Buffer* out, int byte) except -1:
    if out.at == out.end:
        raise _Rare
    out.at[0] = byte
    out.at += 1
    return 0


cdef int put_number(Buffer* out, int64_t number) except -1:
    """Write a number as Avro does: zigzag, then seven bits a byte, the lowest first."""
    cdef uint64_t rest = (<uint64_t>number << 1) ^ <uint64_t>(number >> 63)
    while rest >= 0x80:
        put(out, rest & 0x7F | 0x80)
        rest >>= 7
    return put(out, <int>rest)


cdef int put_raw(Buffer* out, const char* raw, Py_ssize_t size) except -1:
    if out.end - out.at < size:
        raise _Rare
    memcpy(out.at, raw, size)
    out.at += size
    return 0


cdef int put_bytes(Buffer* out, bytes raw) except -1:
    return put_raw(out, PyBytes_AS_STRING(raw), PyBytes_GET_SIZE(raw))


cdef int put_text(Buffer* out, text) except -1:
    cdef Py_ssize_t size
    cdef const char* raw = PyUnicode_AsUTF8AndSize(text, &size)
    put_number(out, size)
    return put_raw(out, raw, size)


cdef int put_optional_text(Buffer* out, text) except -1:
    if not text:
        return put(out, NONE)
    put(out, SOME)
    return put_text(out, text)


cdef int put_optional(Buffer* out, bytes raw) except -1:
    if not raw:
        return put(out, NONE)
    put(out, SOME)
    put_number(out, PyBytes_GET_SIZE(raw))
    return put_bytes(out, raw)


cdef int put_header(Buffer* out, bytes value) except -1:
    """Write a header; one that is not printable ASCII, or is cut, by the Python twin."""
    cdef Py_ssize_t index
    cdef const uint8_t* raw
    if value:
        raw = <const uint8_t*>PyBytes_AS_STRING(value)
        if PyBytes_GET_SIZE(value) > MAX_HEADER:
            return put_bytes(out, click_encoding_py.encode_header(value))
        for index in range(PyBytes_GET_SIZE(value)):
            if not 0x20 <= raw[index] < 0x7F:
                return put_bytes(out, click_encoding_py.encode_header(value))
    return put_optional(out, value)
