# cython: language_level=3
"""Plans at hand, as C sees them."""

from libc.stdint cimport int64_t


cdef class Plan:
    cdef readonly object plan
    cdef bytes digest, full, link_key, hits_name, hits_key
    cdef int64_t epoch
    cdef int needs
    cdef bint simple
    cdef list actions

    cdef bint is_first(self, object known, int flags)
    cdef bint is_duplicate(self, bytes known)
    cdef bytes memory(self, int64_t clicked_at)
