# cython: language_level=3, wraparound=False
"""Updates spliced into one block of memory; `consumer.decision.update` makes the same updates as objects.

A `PackedUpdates` equals a list of topic, value, key and headers; it creates the object of an update when it is read.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawFree, PyMem_RawRealloc
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from schemas.identity import UPDATE_ID_LENGTH

cdef enum:
    FIRST_UPDATES = 64
    FIRST_BYTES = 1 << 14

cdef uint8_t id_length = UPDATE_ID_LENGTH[0]
cdef str CE_ID = "ce_id"


cdef class Action:
    """A packed ActionPlan whose content is the same for every click."""

    def __init__(self, action):
        cdef int number
        cdef str name
        cdef bytes content
        cdef HeaderBytes* at_hand
        self.topic, self.headers, self.id_prefix = action.topic, <tuple?>action.headers, <bytes?>action.id_prefix
        self.frame, self.suffix = <bytes?>action.frame, <bytes?>action.suffix
        self.header_count = len(self.headers)
        if self.header_count > MAX_HEADERS:
            raise ValueError(f"{self.header_count} headers; there is room for {MAX_HEADERS}")
        for number, (name, content) in enumerate(self.headers):
            at_hand = &self.at_hand[number]
            at_hand.name = PyUnicode_AsUTF8AndSize(name, &at_hand.name_size)
            at_hand.content, at_hand.size = PyBytes_AS_STRING(content), PyBytes_GET_SIZE(content)


cdef class PackedUpdates:
    """The updates of one partition's batch, in their order."""

    def __cinit__(self):
        self.block, self.entries = NULL, NULL
        self.used = self.room = 0
        self.count = self.capacity = 0
        self.appended = []

    def __dealloc__(self):
        cdef Py_ssize_t place
        for place in range(self.count):
            if self.entries[place].action != NULL:
                Py_DECREF(<object>self.entries[place].action)
        PyMem_RawFree(self.block)
        PyMem_RawFree(self.entries)

    def __len__(self):
        return self.count

    def __getitem__(self, wanted):
        cdef Py_ssize_t place
        if isinstance(wanted, slice):
            return [self[place] for place in range(self.count)[wanted]]
        place = range(self.count)[wanted]
        cdef PackedUpdate* entry = &self.entries[place]
        cdef Action action
        if entry.action == NULL:
            return self.appended[entry.value]
        action = <Action>entry.action
        identifier = self.content(entry.identifier, UPDATE_ID_BYTES)
        headers = [*action.headers, (CE_ID, identifier)]
        return (
            action.topic, self.content(entry.value, entry.value_size), self.content(entry.key, entry.key_size), headers
        )

    def __iter__(self):
        cdef Py_ssize_t place
        for place in range(self.count):
            yield self[place]

    def __eq__(self, other):
        return list(self) == list(other)

    __hash__ = None

    def append(self, update):
        """Append an update that was made as an object."""
        cdef PackedUpdate* entry = self.add()
        entry.value = len(self.appended)
        self.appended.append(update)

    cdef PackedUpdate* add(self) except NULL:
        """Append an entry without an action yet."""
        cdef Py_ssize_t capacity
        cdef void* grown
        if self.count == self.capacity:
            capacity = max(2 * self.capacity, FIRST_UPDATES)
            grown = PyMem_RawRealloc(self.entries, capacity * sizeof(PackedUpdate))
            if grown == NULL:
                raise MemoryError
            self.entries, self.capacity = <PackedUpdate*>grown, capacity
        cdef PackedUpdate* entry = &self.entries[self.count]
        entry.action = NULL
        self.count += 1
        return entry

    cdef uint8_t* extend(self, size_t size) except NULL:
        """Extend the block by `size` bytes and return their start."""
        cdef size_t room
        cdef void* grown
        if size > self.room - self.used:
            room = max(2 * self.room, self.used + size, FIRST_BYTES)
            grown = PyMem_RawRealloc(self.block, room)
            if grown == NULL:
                raise MemoryError
            self.block, self.room = <uint8_t*>grown, room
        self.used += size
        return self.block + self.used - size

    cdef int splice(
        self, Action action, const uint8_t* shared, Py_ssize_t shared_size, const uint8_t* key, Py_ssize_t key_size,
        const uint8_t* identifier
    ) except -1:
        """Append an update of an action, equal to that of `consumer.decision.update.make_update`."""
        cdef Py_ssize_t frame = PyBytes_GET_SIZE(action.frame), suffix = PyBytes_GET_SIZE(action.suffix)
        cdef Py_ssize_t size = frame + shared_size + 1 + UPDATE_ID_BYTES + suffix
        cdef uint8_t* at = self.extend(size + key_size)
        cdef PackedUpdate* entry = self.add()
        Py_INCREF(action)
        entry.action = <PyObject*>action
        entry.value, entry.value_size = at - self.block, size
        entry.identifier = entry.value + frame + shared_size + 1
        entry.key, entry.key_size = entry.value + size, key_size
        memcpy(at, PyBytes_AS_STRING(action.frame), frame)
        memcpy(at + frame, shared, shared_size)
        at += frame + shared_size
        at[0] = id_length
        memcpy(at + 1, identifier, UPDATE_ID_BYTES)
        memcpy(at + 1 + UPDATE_ID_BYTES, PyBytes_AS_STRING(action.suffix), suffix)
        memcpy(at + 1 + UPDATE_ID_BYTES + suffix, key, key_size)
        return 0

    cdef bytes content(self, size_t start, Py_ssize_t size):
        return PyBytes_FromStringAndSize(<const char*>self.block + start, size)
