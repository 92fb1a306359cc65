# cython: language_level=3
"""One field after the other out of the bytes of a click, as `schemas.click` reads them: each accepts what that one does.

Nothing is read without a look at the cursor's end.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memchr, memcpy

cdef enum:
    # The fields that a decision is about: the first thirteen of LinkClicked, two appended ones, and any other.
    TENANT, LINK, RECIPIENT, CLICK_ID, CLICKED_AT, HAS_PERSON, HAS_COMPANY, MAILING, FLOW, FLOW_RUN, VERSION, IS_TEST
    IS_CONFIRMED, PAGE_CLICK_ID, IS_REPLAYED, OTHER
    FIELDS
    SEPARATOR_BYTE = 0x1F
    BLANK_BYTE = 0x20  # the last of those that a blank id, and hardly any other, begins with

cdef struct Cursor:
    const uint8_t* at
    const uint8_t* end

cdef struct Field:
    # Where the content of a text is; what a number or boolean says. Absent fields have no content.
    const uint8_t* start
    Py_ssize_t size
    int64_t number
    bint present
    const uint8_t* end


cdef inline const uint8_t* text_of(bytes text) noexcept:
    return <const uint8_t*>PyBytes_AS_STRING(text)


cdef inline bint read_number(Cursor* cursor, int64_t* number) noexcept:
    """Read a zigzag varint of at most 64 bits, in as few bytes as it takes; tell whether it is one."""
    cdef uint64_t raw = 0
    cdef uint8_t byte
    cdef int shift
    for shift in range(0, 64, 7):
        if cursor.at >= cursor.end:
            return False
        byte = cursor.at[0]
        cursor.at += 1
        if shift == 63 and byte > 1:
            return False
        raw |= <uint64_t>(byte & 0x7F) << shift
        if byte < 0x80:
            number[0] = <int64_t>((raw >> 1) ^ (0 - (raw & 1)))
            return byte != 0 or shift == 0
    return False


cdef inline bint is_utf8(const uint8_t* text, Py_ssize_t size) noexcept:
    """Tell whether it can be decoded; most texts are ASCII, eight bytes of which are looked at in one."""
    cdef uint64_t word
    cdef Py_ssize_t place = 0
    cdef inline bint high = False
    while size - place >= 8:
        memcpy(&word, text + place, 8)
        high |= (word & <uint64_t>0x8080808080808080) != 0
        place += 8
    while place < size:
        high |= text[place] >= 0x80
        place += 1
    if high:
        try:
            PyUnicode_DecodeUTF8(<const char*>text, size, NULL)
        except UnicodeDecodeError:
            return False
    return True


cdef inline bint read_text(Cursor* cursor, Field* field) noexcept:
    cdef int64_t size
    if not read_number(cursor, &size) or size < 0 or size > cursor.end - cursor.at:
        return False
    field.start, field.size = cursor.at, size
    cursor.at += size
    return is_utf8(field.start, size)


cdef inline bint read_boolean(Cursor* cursor, int64_t* number) noexcept:
    if cursor.at >= cursor.end or cursor.at[0] > 1:
        return False
    number[0] = cursor.at[0]
    cursor.at += 1
    return True


cdef inline bint read_field(Cursor* cursor, uint8_t code, Field* field) noexcept:
    """Read one field by its letter of a ClickLayout; tell whether its bytes are what they must be."""
    field.start, field.size, field.number, field.present = cursor.at, 0, 0, True
    if code < c'a':
        # The index of a branch, 0 or 1, is a number of one byte: 0 or 2.
        if cursor.at >= cursor.end or cursor.at[0] & ~2:
            return False
        field.present = cursor.at[0] == 2
        cursor.at += 1
        code += 32
    if not field.present:
        field.end = cursor.at
        return True
    if code == c's':
        if not read_text(cursor, field):
            return False
    elif code == c'b':
        if not read_boolean(cursor, &field.number):
            return False
    elif not read_number(cursor, &field.number) or (code == c'i' and field.number != <int>field.number):
        return False
    field.end = cursor.at
    return True


cdef inline bint is_told(Field* field) noexcept:
    """Tell whether the id is certainly not blank."""
    return field.size > 0 and field.start[0] > BLANK_BYTE


cdef inline bint is_blank(Field* field) noexcept:
    """Tell whether the text is empty or only ASCII white space."""
    cdef Py_ssize_t index
    for index in range(field.size):
        if field.start[index] != c' ' and not c'\t' <= field.start[index] <= c'\r':
            return False
    return True


cdef inline bint has_separator(Field* field) noexcept:
    return memchr(field.start, SEPARATOR_BYTE, field.size) != NULL


cdef inline bint is_usual(Field* fields) noexcept:
    """Tell whether `parse_click` takes the click as it is, no id of which it has to look at closely."""
    cdef int number
    for number in range(TENANT, CLICKED_AT):
        if not is_told(&fields[number]):
            return False
    for number in range(HAS_PERSON, VERSION):
        if fields[number].present and not is_told(&fields[number]):
            return False
    if fields[VERSION].present and fields[VERSION].number < 1:
        return False
    if memchr(fields[TENANT].start, c'/', fields[TENANT].size) != NULL:
        return False
    # One look at them all; a length or the time may hold the byte too.
    if memchr(fields[TENANT].start, SEPARATOR_BYTE, fields[FLOW_RUN].end - fields[TENANT].start) == NULL:
        return True
    for number in range(TENANT, VERSION):
        if number not in (CLICKED_AT, HAS_PERSON, HAS_COMPANY) and has_separator(&fields[number]):
            return False
    return True
