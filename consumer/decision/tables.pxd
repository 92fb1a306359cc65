# cython: language_level=3
"""Look-up tables of a batch, as C sees them."""

from libc.stdint cimport uint8_t, uint64_t

from consumer.decision.click_rows cimport Row

cdef struct LinkEntry:
    # Number of the counter for clicks that name the same link and version as this row, the first that did.
    uint64_t hash
    int row, counter

cdef enum:
    # Instead of a counter's number.
    UNDEFINED = -1  # the link has no definition
    BAD = -2
    FREE = -3


cdef class LinkHashTable:
    cdef LinkEntry* slots
    cdef Py_ssize_t size, used

    cdef LinkEntry* empty(self, Py_ssize_t size) except NULL
    cdef LinkEntry* find(self, Row* rows, int row) noexcept
    cdef int keep(self, LinkEntry* slot, int counter) except -1
    cdef int grow(self) except -1


cdef class KeyBloomFilter:
    cdef uint64_t* bits
    cdef uint64_t mask

    cdef uint64_t bit_of(self, const uint8_t* key) noexcept
    cdef bint may_have(self, const uint8_t* key) noexcept
    cdef void add(self, const uint8_t* key) noexcept
