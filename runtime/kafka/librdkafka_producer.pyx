# cython: language_level=3, wraparound=False
"""Producing a batch through librdkafka's C interface, without a Python call per record.

A record that the library refuses ends the batch; the caller produces it with `confluent_kafka`, which raises the error.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.ref cimport PyObject
from cpython.unicode cimport PyUnicode_AsUTF8
from libc.stdint cimport int32_t, uint8_t

from runtime.records.outgoing cimport UPDATE_ID_BYTES, Action, HeaderBytes, PackedUpdate, PackedUpdates
from runtime.kafka.librdkafka cimport (
    COPY_BYTES, END, HEADERS, KEY, MSGFLAGS, PARTITION, RKT, VALUE, client_of, library,
)

cdef extern from "Python.h":
    PyObject* PyList_GET_ITEM(list items, Py_ssize_t index)

cdef enum:
    NO_ERROR = 0
    MAX_TOPICS = 16


cdef class TopicCache:
    """Topic handles of a client, by the identity of the name: a batch has few topics, mostly that of the record before."""

    cdef void* client
    cdef void* topics[MAX_TOPICS]
    cdef list names

    def __cinit__(self):
        self.names = []

    def __dealloc__(self):
        cdef Py_ssize_t index
        for index in range(len(self.names)):
            library.topic_destroy(self.topics[index])

    cdef void* find(self, name) except? NULL:
        """Return the topic's handle; NULL if the library refuses the name."""
        cdef Py_ssize_t index = len(self.names) - 1
        while index >= 0:
            if <PyObject*>name == PyList_GET_ITEM(self.names, index):
                return self.topics[index]
            index -= 1
        if len(self.names) == MAX_TOPICS:
            library.topic_destroy(self.topics[MAX_TOPICS - 1])
            self.names.pop()
        cdef void* topic = library.topic_new(self.client, PyUnicode_AsUTF8(name), NULL)
        if topic != NULL:
            self.topics[len(self.names)] = topic
            self.names.append(name)
        return topic


def produce_batch(producer, int32_t partition, records, Py_ssize_t start):
    """Produce records of topic, value, key and headers from `start` on; return the index of the first not taken."""
    cdef TopicCache topics = TopicCache()
    cdef Py_ssize_t index
    cdef PackedUpdates packed = <PackedUpdates>records if isinstance(records, PackedUpdates) else None
    cdef PackedUpdate* entry
    cdef bint is_taken
    topics.client = client_of(producer)
    for index in range(start, len(records)):
        if packed is not None and packed.entries[index].action != NULL:
            entry = &packed.entries[index]
            is_taken = produce_update(topics, partition, entry, packed.block)
        else:
            is_taken = produce_record(topics, partition, <tuple?>records[index])
        if not is_taken:
            return index
    return len(records)


cdef bint produce_update(TopicCache topics, int32_t partition, PackedUpdate* entry, const uint8_t* content) except -1:
    """Produce an update whose bytes are in the block at `content`; return whether it was taken."""
    cdef Action action = <Action>entry.action
    cdef void* topic = topics.find(action.topic)
    cdef void* headers = library.headers_new(action.header_count + 1)
    cdef int number
    cdef HeaderBytes* at_hand
    for number in range(action.header_count):
        at_hand = &action.at_hand[number]
        library.header_add(headers, at_hand.name, at_hand.name_size, at_hand.content, at_hand.size)
    library.header_add(headers, "ce_id", 5, content + entry.identifier, UPDATE_ID_BYTES)
    return produce(
        topics.client, topic, partition,
        content + entry.value, entry.value_size, content + entry.key, entry.key_size, headers,
    )


cdef bint produce_record(TopicCache topics, int32_t partition, tuple record) except -1:
    """Produce a record of topic, value, key and headers; return whether it was taken."""
    cdef bytes value = record[1], key = record[2]
    cdef void* topic = topics.find(record[0])
    cdef void* headers = NULL if record[3] is None else new_headers(record[3])
    return produce(topics.client, topic, partition, start_of(value), size_of(value), start_of(key), size_of(key), headers)


cdef bint produce(
    void* client, void* topic, int32_t partition,
    const void* value, size_t value_size, const void* key, size_t key_size, void* headers,
) noexcept:
    """Produce a record; return whether it was taken. The library owns the headers of a record that it takes."""
    cdef int failed
    if topic != NULL:
        failed = library.producev(
            client,
            <int>RKT, topic,
            <int>PARTITION, partition,
            <int>MSGFLAGS, <int>COPY_BYTES,
            <int>VALUE, value, value_size,
            <int>KEY, key, key_size,
            <int>HEADERS, headers,
            <int>END,
        )
        if failed == NO_ERROR:
            return True
    if headers != NULL:
        library.headers_destroy(headers)
    return False


cdef inline const char* start_of(bytes content) noexcept:
    return NULL if content is None else PyBytes_AS_STRING(content)


cdef inline size_t size_of(bytes content) noexcept:
    return 0 if content is None else PyBytes_GET_SIZE(content)


cdef void* new_headers(headers) except NULL:
    """Return the headers of one record, owned by the caller."""
    cdef void* made = library.headers_new(len(headers))
    cdef str name
    cdef bytes value
    for name, value in headers:
        library.header_add(
            made, PyUnicode_AsUTF8(name), -1, start_of(value), -1 if value is None else PyBytes_GET_SIZE(value)
        )
    return made
