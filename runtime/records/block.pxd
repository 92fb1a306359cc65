# cython: language_level=3
"""Records that were copied into one block of memory, as C sees them."""

from libc.stdint cimport int32_t, int64_t, uint8_t

cdef enum:
    ABSENT = -1  # instead of the size of a key or value that is not there

cdef struct IndexEntry:
    # Positions and sizes of a record's parts in the block, in bytes, and its metadata.
    size_t key, value, headers
    Py_ssize_t key_size, value_size, headers_size
    int64_t offset, timestamp
    int32_t partition, timestamp_kind


cdef class Block:
    cdef uint8_t* bytes
    cdef size_t used, room
    cdef IndexEntry* index
    cdef Py_ssize_t count, capacity

    cdef IndexEntry* add(self, int32_t partition, int64_t offset) except NULL
    cdef int set_key(self, IndexEntry* entry, const void* key, Py_ssize_t size) except -1
    cdef int set_value(self, IndexEntry* entry, const void* value, Py_ssize_t size) except -1
    cdef int add_header(self, IndexEntry* entry, const char* name, const void* value, Py_ssize_t size) except -1
    cdef int put(self, const void* content, size_t size) except -1
    cdef bytes content(self, size_t start, Py_ssize_t size)
    cdef void clear(self) noexcept
    cdef BlockRecords records_from(self, Py_ssize_t first)


cdef class BlockRecords:
    cdef Block block
    cdef int32_t* numbers
    cdef readonly Py_ssize_t count

    cdef IndexEntry* entry(self, Py_ssize_t row) noexcept


cdef class BlockValues:
    cdef BlockRecords records
