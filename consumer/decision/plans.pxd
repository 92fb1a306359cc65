# cython: language_level=3
"""Plans packed for the core, as C sees them."""

from cpython.ref cimport PyObject
from libc.stdint cimport int64_t, uint8_t, uint64_t


cdef class Plan:
    cdef readonly object plan
    cdef bytes digest, full, link_key, hits_name, hits_key
    cdef int64_t epoch
    cdef int needs
    cdef bint simple
    cdef list actions

    cdef bint is_first(self, object known, int flags)
    cdef bint is_duplicate(self, bytes known)
    cdef bytes new_entry(self, int64_t clicked_at)


cdef struct CachedPlan:
    # A Plan, by hash of the link and version; NULL where the slot is free.
    uint64_t hash
    int64_t version
    PyObject* plan


cdef class PlanHashTable:
    cdef object ready
    cdef CachedPlan* all
    cdef Py_ssize_t used

    cdef Plan find(self, ready, uint64_t hash, const uint8_t* link, Py_ssize_t size, int64_t version)
    cdef int keep(self, ready, uint64_t hash, int64_t version, Plan plan) except -1
    cdef CachedPlan* after(self, CachedPlan* cached) noexcept
    cdef void forget(self) noexcept
