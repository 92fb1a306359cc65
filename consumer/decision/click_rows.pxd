# cython: language_level=3
"""Clicks of a batch as rows, as C sees them."""

from libc.stdint cimport int64_t, uint8_t

from consumer.decision.click_fields cimport Field

cdef struct Row:
    # What the loops need of a click, as places in its value.
    const uint8_t* value
    int size, body, tenant, tenant_size, link_end, recipient, recipient_size, shared_end, flags
    int64_t clicked_at, version


cdef class Layout:
    cdef bytes frame, codes
    cdef bytes fields  # of each code: its index in the fields that `walk` fills in
    cdef bint has_tail

    cdef bint stands_before(self, const uint8_t* value, Py_ssize_t value_size) noexcept
    cdef bint walk(self, const uint8_t* value, Py_ssize_t size, Field* fields) noexcept
