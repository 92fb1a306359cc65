# cython: language_level=3, wraparound=False
"""Look-up tables of one batch that create no Python objects."""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

from consumer.decision.click_rows cimport Row

from schemas.identity import KEY_HASH_BYTES, RECIPIENT_DIGEST_BYTES

cdef extern from "digests.h" nogil:
    uint64_t hash_of(const uint8_t* data, size_t size, uint64_t seed)

cdef enum:
    FIRST_LINKS = 1024

cdef uint64_t seed = <uint64_t>hash("links of a batch")
cdef int LINK_DIGEST = RECIPIENT_DIGEST_BYTES + KEY_HASH_BYTES


cdef class LinkHashTable:
    """Hash table from link and version to the number of a plan's counter; the keys are references to rows of the batch, not bytes."""

    def __cinit__(self):
        self.size, self.used = FIRST_LINKS, 0
        self.slots = self.empty(self.size)

    def __dealloc__(self):
        PyMem_Free(self.slots)

    cdef LinkEntry* empty(self, Py_ssize_t size) except NULL:
        cdef LinkEntry* slots = <LinkEntry*>PyMem_Calloc(size, sizeof(LinkEntry))
        cdef Py_ssize_t place
        if slots == NULL:
            raise MemoryError
        for place in range(size):
            slots[place].counter = FREE
        return slots

    cdef LinkEntry* find(self, Row* rows, int row) noexcept:
        """Return the slot of this row's link and version, free if no earlier row had them."""
        cdef Row* click = &rows[row]
        cdef Row* other
        cdef Py_ssize_t size = click.link_end - click.body
        cdef const uint8_t* link = click.value + click.body
        cdef uint64_t hash = hash_of(link, size, seed) ^ <uint64_t>click.version
        cdef Py_ssize_t place = hash & (self.size - 1)
        cdef LinkEntry* slot = &self.slots[place]
        while slot.counter != FREE:
            if slot.hash == hash:
                other = &rows[slot.row]
                if other.version == click.version and other.link_end - other.body == size:
                    if not memcmp(other.value + other.body, link, size):
                        return slot
            place = (place + 1) & (self.size - 1)
            slot = &self.slots[place]
        slot.hash, slot.row = hash, row
        return slot

    cdef int keep(self, LinkEntry* slot, int counter) except -1:
        """Fill a free slot."""
        slot.counter = counter
        self.used += 1
        if 2 * self.used > self.size:
            self.grow()
        return 0

    cdef int grow(self) except -1:
        cdef Py_ssize_t size = 2 * self.size, old, place
        cdef LinkEntry* slots = self.empty(size)
        for old in range(self.size):
            if self.slots[old].counter == FREE:
                continue
            place = self.slots[old].hash & (size - 1)
            while slots[place].counter != FREE:
                place = (place + 1) & (size - 1)
            slots[place] = self.slots[old]
        PyMem_Free(self.slots)
        self.slots, self.size = slots, size
        return 0


cdef class KeyBloomFilter:
    """Bloom filter of the dedupe keys that a batch has changed. The keys are digests, so they need no hashing."""

    def __cinit__(self, Py_ssize_t keys):
        cdef uint64_t words = 16
        while words * 4 < <uint64_t>keys:  # 16 bits a key or more
            words *= 2
        self.mask = words * 64 - 1
        self.bits = <uint64_t*>PyMem_Calloc(words, sizeof(uint64_t))
        if self.bits == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.bits)

    cdef uint64_t bit_of(self, const uint8_t* key) noexcept:
        cdef uint64_t recipient, link
        memcpy(&recipient, key, sizeof(uint64_t))
        memcpy(&link, key + LINK_DIGEST, sizeof(uint64_t))
        return (recipient ^ link) & self.mask

    cdef bint may_have(self, const uint8_t* key) noexcept:
        cdef uint64_t bit = self.bit_of(key)
        return self.bits[bit >> 6] >> (bit & 63) & 1

    cdef void add(self, const uint8_t* key) noexcept:
        cdef uint64_t bit = self.bit_of(key)
        self.bits[bit >> 6] |= <uint64_t>1 << (bit & 63)
