# cython: language_level=3
"""Updates in one block of memory, as C sees them."""

from cpython.ref cimport PyObject
from libc.stdint cimport uint8_t

cdef enum:
    UPDATE_ID_BYTES = 36
    MAX_HEADERS = 8

cdef struct HeaderBytes:
    # Where name and content of a header are.
    const char* name
    const char* content
    Py_ssize_t name_size, size

cdef struct PackedUpdate:
    # Whose update it is, and where value, update id (a part of the value) and key are; or, without an action, which of
    # those that were appended it is, by its number in place of the value.
    PyObject* action
    size_t value, identifier, key
    Py_ssize_t value_size, key_size


cdef class Action:
    cdef readonly object topic
    cdef bytes id_prefix, frame, suffix
    cdef tuple headers
    cdef int header_count
    cdef HeaderBytes at_hand[MAX_HEADERS]


cdef class PackedUpdates:
    cdef uint8_t* block
    cdef size_t used, room
    cdef PackedUpdate* entries
    cdef Py_ssize_t count, capacity
    cdef list appended

    cdef bytes content(self, size_t start, Py_ssize_t size)
    cdef PackedUpdate* add(self) except NULL
    cdef uint8_t* extend(self, size_t size) except NULL
    cdef int splice(
        self, Action action, const uint8_t* shared, Py_ssize_t shared_size, const uint8_t* key, Py_ssize_t key_size,
        const uint8_t* identifier
    ) except -1
