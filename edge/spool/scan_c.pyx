# cython: language_level=3, boundscheck=False, wraparound=False
"""Finding the records in a part of a segment, without Python code for each; `scan_py` says what it equals."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t

from edge.spool.record import MAX_BODY_BYTES, SpooledRecord, SpooledTopic

cdef enum:
    HEADER = 12
    BODY = 11
    END = 0xA5

cdef uint32_t MAX_BODY = MAX_BODY_BYTES
cdef tuple TOPICS = tuple(SpooledTopic(number) if number in set(SpooledTopic) else None for number in range(256))
cdef uint32_t[256] CRC


cdef int fill_crc() except -1:
    """Fill the table of CRC-32 (ISO 3309, the polynomial reversed)."""
    cdef uint32_t index, value
    for index in range(256):
        value = index
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        CRC[index] = value
    return 0


fill_crc()


cdef uint32_t crc32(const uint8_t* raw, Py_ssize_t size) noexcept:
    cdef uint32_t value = 0xFFFFFFFF
    cdef Py_ssize_t index
    for index in range(size):
        value = CRC[(value ^ raw[index]) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


cdef inline uint32_t number_at(const uint8_t* raw) noexcept:
    return raw[0] | raw[1] << 8 | raw[2] << 16 | <uint32_t>raw[3] << 24


def scan(bytes buffer, Py_ssize_t count):
    """Return at most `count` records from the beginning of a buffer, where each ends, and whether damage follows."""
    cdef const uint8_t* raw = <const uint8_t*>PyBytes_AS_STRING(buffer)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(buffer), begin = 0, end
    cdef uint32_t length
    cdef list records = [], ends = []
    while len(ends) < count and begin + HEADER <= size:
        length = number_at(raw + begin)
        if not (length or number_at(raw + begin + 4) or number_at(raw + begin + 8)):
            break
        if length != ~number_at(raw + begin + 4) or not BODY <= length <= MAX_BODY:
            return records, ends, True
        end = begin + HEADER + length + 1
        if end > size or raw[end - 1] == 0:
            break
        if raw[end - 1] != END or crc32(raw + begin + HEADER, length) != number_at(raw + begin + 8):
            return records, ends, True
        record = decode(raw + begin + HEADER, length)
        if record is None:
            return records, ends, True
        records.append(record)
        ends.append(end)
        begin = end
    return records, ends, False


cdef decode(const uint8_t* body, Py_ssize_t size):
    """Return the record; None if its topic or its key cannot be."""
    cdef int64_t timestamp_ms = <int64_t>(number_at(body + 1) | <int64_t>number_at(body + 5) << 32)
    cdef Py_ssize_t key_bytes = body[9] | body[10] << 8
    topic = TOPICS[body[0]]
    if topic is None or BODY + key_bytes > size:
        return None
    key = PyBytes_FromStringAndSize(<const char*>body + BODY, key_bytes)
    value = PyBytes_FromStringAndSize(<const char*>body + BODY + key_bytes, size - BODY - key_bytes)
    return tuple.__new__(SpooledRecord, (topic, timestamp_ms, key, value))
