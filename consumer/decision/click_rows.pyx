# cython: language_level=3, wraparound=False
"""Parses the bytes of a click by its layout, as `schemas.click.parse_click` does."""

from cpython.bytes cimport PyBytes_GET_SIZE
from libc.stdint cimport uint8_t
from libc.string cimport memcmp

from consumer.decision.click_fields cimport IS_CONFIRMED, IS_REPLAYED, OTHER, PAGE_CLICK_ID, Cursor, Field, read_field, text_of


cdef class Layout:
    """A header and the type letters of the fields that follow it."""

    def __init__(self, frame, layout):
        self.frame, self.codes, self.has_tail = frame, layout.codes.encode(), bool(layout.tail)
        fields = bytearray(number if number <= IS_CONFIRMED else OTHER for number in range(len(self.codes)))
        if layout.page_click_id is not None:
            fields[layout.page_click_id] = PAGE_CLICK_ID
        if layout.replayed is not None:
            fields[layout.replayed] = IS_REPLAYED
        self.fields = bytes(fields)

    cdef bint stands_before(self, const uint8_t* value, Py_ssize_t value_size) noexcept:
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self.frame)
        return value_size >= size and not memcmp(value, text_of(self.frame), size)

    cdef bint walk(self, const uint8_t* value, Py_ssize_t size, Field* fields) noexcept:
        """Fill in the fields of a value with this frame; return whether its bytes are valid.

        A `tail` is not walked.
        """
        cdef Cursor cursor
        cdef Py_ssize_t number
        cdef const uint8_t* codes = text_of(self.codes)
        cdef const uint8_t* places = text_of(self.fields)
        fields[PAGE_CLICK_ID].present, fields[IS_REPLAYED].number = False, 0
        cursor.at = value + PyBytes_GET_SIZE(self.frame)
        cursor.end = value + size
        for number in range(PyBytes_GET_SIZE(self.codes)):
            if not read_field(&cursor, codes[number], &fields[places[number]]):
                return False
        return self.has_tail or cursor.at == cursor.end
