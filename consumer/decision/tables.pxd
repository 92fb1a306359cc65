# cython: language_level=3
"""What a batch looks up in C: tallies by what clicks name, and the memory keys that it has changed."""

from libc.stdint cimport uint8_t, uint64_t

from consumer.decision.click_rows cimport Row

cdef struct Named:
    # By which tally clicks are counted that name a link and version as this row does, the first that did so.
    uint64_t hash
    int row, tally

cdef enum:
    # Instead of a tally's number.
    UNDEFINED = -1  # the link has no definition
    BAD = -2
    FREE = -3


cdef class Names:
    cdef Named* slots
    cdef Py_ssize_t size, used

    cdef Named* empty(self, Py_ssize_t size) except NULL
    cdef Named* find(self, Row* rows, int row) noexcept
    cdef int keep(self, Named* slot, int tally) except -1
    cdef int grow(self) except -1


cdef class Fresh:
    cdef uint64_t* bits
    cdef uint64_t mask

    cdef uint64_t place(self, const uint8_t* key) noexcept
    cdef bint may_have(self, const uint8_t* key) noexcept
    cdef void add(self, const uint8_t* key) noexcept
