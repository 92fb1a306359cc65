# cython: language_level=3, wraparound=False
"""The hits of a batch's links, counted in C. `consumer.decision.hits_py.Hits` is the reference implementation."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from consumer.decision.click_fields cimport text_of
from consumer.decision.plans cimport Plan

from consumer.changelog.entries import HITS, HITS_BYTES, HitCount, decode_hits
from schemas.codec import encode_number

cdef extern from "digests.h" nogil:
    void put_big_endian_64(uint8_t* at, uint64_t number)
    uint64_t big_endian_64(const uint8_t* at)

cdef enum:
    ENTRY_BYTES = 25
    MAX_NUMBER_BYTES = 10

cdef uint8_t hits_format = HITS
if HITS_BYTES != ENTRY_BYTES:
    raise ImportError("hits have another form than here")

cdef struct Count:
    int64_t epoch, clicks, first_clicks


cdef inline uint8_t* put_number(uint8_t* at, int64_t number) noexcept:
    """Write a number as Avro does, zigzag and seven bits a byte; return where it ends."""
    cdef uint64_t rest = (<uint64_t>number << 1) ^ <uint64_t>(number >> 63)
    while rest >= 0x80:
        at[0] = <uint8_t>(rest & 0x7F | 0x80)
        at += 1
        rest >>= 7
    at[0] = <uint8_t>rest
    return at + 1


cdef class Hits:
    """Counts in C. Implements `Hits`."""

    cdef readonly set sequential
    cdef dict numbers
    cdef list links
    cdef Count* all

    def __cinit__(self, plans, look_up):
        self.all = <Count*>PyMem_Calloc(max(len(plans), 1), sizeof(Count))
        if self.all == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.all)

    def __init__(self, plans, look_up):
        """LookUp the counts of these plans, each of which is named once."""
        cdef dict by_key = {}
        cdef Plan mine
        cdef Py_ssize_t number
        self.sequential, self.numbers, self.links = set(), {}, []
        for mine in plans:
            number = by_key.setdefault(mine.hits_key, len(self.links))
            if number == len(self.links):
                self.links.append(mine)
                self.all[number].epoch = mine.epoch
            else:
                self.sequential |= {mine.plan, (<Plan>self.links[number]).plan}
                self.links[number] = mine
                self.all[number].epoch = min(self.all[number].epoch, mine.epoch)
            if not mine.simple:
                self.sequential.add(mine.plan)
            self.numbers[mine.plan] = number
        for number, value in enumerate(look_up(list(by_key))):
            if value is not None:
                self.read(&self.all[number], value)

    cdef int read(self, Count* count, bytes value) except -1:
        cdef const uint8_t* at = text_of(value)
        if PyBytes_GET_SIZE(value) == ENTRY_BYTES and at[0] == hits_format:
            count.epoch = <int64_t>big_endian_64(at + 1)
            count.clicks = <int64_t>big_endian_64(at + 9)
            count.first_clicks = <int64_t>big_endian_64(at + 17)
            return 0
        known = decode_hits(value)
        count.epoch, count.clicks, count.first_clicks = known.epoch, known.clicks, known.first_clicks
        return 0

    def count(self, plan, *, bint hit, bint first):
        """Count a hit and a first click, if the click is that, and return the clicks of the plan's epoch so far."""
        cdef Count* count = &self.all[<Py_ssize_t>self.numbers[plan]]
        return count.clicks if self.enter(count, plan.epoch, hit, first) else 0

    def add(self, clicks, *, bint first):
        """Count many clicks of plans that are not `sequential`."""
        cdef Py_ssize_t number
        for plan, times in clicks.items():
            number = self.numbers[plan]
            self.enter(&self.all[number], (<Plan>self.links[number]).epoch, times, times * first)

    cdef bint enter(self, Count* count, int64_t epoch, int64_t clicks, int64_t first_clicks) noexcept:
        """Count clicks of an epoch, unless they are from before a reset; tell which."""
        if epoch > count.epoch:
            count.epoch, count.clicks, count.first_clicks = epoch, 0, 0
        if epoch < count.epoch:
            return False
        count.clicks += clicks
        count.first_clicks += first_clicks
        return True

    def counts(self):
        """Return the count of each link, with one of its plans."""
        cdef Py_ssize_t number
        cdef Count* count
        listed = []
        for number in range(len(self.links)):
            count = &self.all[number]
            listed.append(((<Plan>self.links[number]).plan, HitCount(count.epoch, count.clicks, count.first_clicks)))
        return listed

    def entries(self):
        """Return the counts as entries of the state."""
        cdef Py_ssize_t number
        return [((<Plan>self.links[number]).hits_key, self.entry(&self.all[number])) for number in range(len(self.links))]

    cdef bytes entry(self, Count* count):
        cdef bytes value = PyBytes_FromStringAndSize(NULL, ENTRY_BYTES)
        cdef uint8_t* at = <uint8_t*>PyBytes_AS_STRING(value)
        at[0] = hits_format
        put_big_endian_64(at + 1, <uint64_t>count.epoch)
        put_big_endian_64(at + 9, <uint64_t>count.clicks)
        put_big_endian_64(at + 17, <uint64_t>count.first_clicks)
        return value

    def records(self, topic, bytes frame not None, partition):
        """Return the counts as LinkHits."""
        cdef bytes place = encode_number(partition), suffix = b"/%d" % partition
        cdef Plan plan
        cdef Py_ssize_t number
        listed = []
        for number in range(len(self.links)):
            plan = self.links[number]
            listed.append((topic, self.record(&self.all[number], frame, plan.link_key, place), plan.hits_name + suffix, None))
        return listed

    cdef bytes record(self, Count* count, bytes frame, bytes link_key, bytes place):
        cdef uint8_t[3 * MAX_NUMBER_BYTES] numbers
        cdef uint8_t* end = put_number(numbers, count.epoch)
        end = put_number(put_number(end, count.clicks), count.first_clicks)
        cdef Py_ssize_t size = end - numbers
        cdef Py_ssize_t known = PyBytes_GET_SIZE(frame) + PyBytes_GET_SIZE(link_key) + PyBytes_GET_SIZE(place)
        cdef bytes value = PyBytes_FromStringAndSize(NULL, known + size)
        cdef char* at = PyBytes_AS_STRING(value)
        for part in (frame, link_key, place):
            memcpy(at, text_of(part), PyBytes_GET_SIZE(part))
            at += PyBytes_GET_SIZE(part)
        memcpy(at, numbers, size)
        return value
