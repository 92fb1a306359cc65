# cython: language_level=3, wraparound=False
"""Plans packed for the compiled core: C fields instead of attribute look-ups."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from cpython.ref cimport Py_CLEAR, Py_INCREF, PyObject
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

from consumer.decision.click_fields cimport text_of
from runtime.records.outgoing cimport Action

from consumer.changelog.entries import PLAIN

cdef extern from "digests.h" nogil:
    void put_big_endian_64(uint8_t* at, uint64_t number)

cdef enum:
    ENTRY_HEAD_BYTES = 9
    MAX_PLANS = 8192
    SLOTS = 2 * MAX_PLANS

cdef uint8_t plain_format = PLAIN


cdef class Plan:
    """A packed LinkPlan. Shared by all batches, so never modified."""

    def __init__(self, plan):
        self.plan, self.needs, self.simple, self.epoch = plan, plan.needs, plan.simple, plan.epoch
        self.digest, self.full = <bytes?>plan.digest, <bytes?>plan.full
        self.link_key, self.hits_name, self.hits_key = <bytes?>plan.link_key, <bytes?>plan.hits_name, <bytes?>plan.hits_key
        # Only simple plans have actions here; others must take the slow path (`Hits.sequential`).
        self.actions = [Action(action) for action in plan.actions] if plan.simple else None

    cdef bint is_first(self, object known, int flags):
        return known is None and (flags & self.needs) == self.needs

    cdef bint is_duplicate(self, bytes known):
        """Return whether the dedupe entry says that the first click applied all actions of the link."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self.full)
        if known is None or PyBytes_GET_SIZE(known) != ENTRY_HEAD_BYTES + size or text_of(known)[0] != plain_format:
            return False
        return not memcmp(text_of(known) + ENTRY_HEAD_BYTES, text_of(self.full), size)

    cdef bytes new_entry(self, int64_t clicked_at):
        """Return the dedupe entry of a first click."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self.full)
        cdef bytes value = PyBytes_FromStringAndSize(NULL, ENTRY_HEAD_BYTES + size)
        cdef uint8_t* at = <uint8_t*>PyBytes_AS_STRING(value)
        at[0] = plain_format
        put_big_endian_64(at + 1, <uint64_t>clicked_at)
        memcpy(at + ENTRY_HEAD_BYTES, text_of(self.full), size)
        return value


cdef class PlanHashTable:
    """Plan cache by the bytes of link and version in clicks: consecutive batches mostly concern the same links.

    They are those of one mapping (`Plans.ready`), which never loses one: for another mapping all are forgotten.
    """

    def __cinit__(self):
        self.ready, self.used = None, 0
        self.all = <CachedPlan*>PyMem_Calloc(SLOTS, sizeof(CachedPlan))
        if self.all == NULL:
            raise MemoryError

    def __dealloc__(self):
        if self.all != NULL:
            self.forget()
        PyMem_Free(self.all)

    cdef Plan find(self, ready, uint64_t hash, const uint8_t* link, Py_ssize_t size, int64_t version):
        """Return the plan of this version of an encoded tenant and link, given its hash; None if not cached."""
        cdef CachedPlan* cached = &self.all[hash % SLOTS]
        cdef Plan plan
        if ready is not self.ready:
            return None
        while cached.plan != NULL:
            if cached.hash == hash and cached.version == version:
                plan = <Plan>cached.plan
                if PyBytes_GET_SIZE(plan.link_key) == size and not memcmp(text_of(plan.link_key), link, size):
                    return plan
            cached = self.after(cached)
        return None

    cdef int keep(self, ready, uint64_t hash, int64_t version, Plan plan) except -1:
        """Cache a plan of the mapping."""
        cdef CachedPlan* free
        if ready is not self.ready or self.used == MAX_PLANS:
            self.forget()
            self.ready = ready
        free = &self.all[hash % SLOTS]
        while free.plan != NULL:
            free = self.after(free)
        Py_INCREF(plan)
        free.hash, free.version, free.plan = hash, version, <PyObject*>plan
        self.used += 1
        return 0

    cdef CachedPlan* after(self, CachedPlan* cached) noexcept:
        return self.all if cached == &self.all[SLOTS - 1] else cached + 1

    cdef void forget(self) noexcept:
        cdef Py_ssize_t place
        for place in range(SLOTS):
            Py_CLEAR(self.all[place].plan)
        self.used = 0
