# cython: language_level=3, wraparound=False
"""Taking clicks from a consumer of librdkafka into a block of memory, without a Python object for each.

The clicks of the partitions that are claimed come through a queue of our own; what else the client has to tell
(rebalances, errors of the group) stays in its own queue, which only `confluent_kafka` can serve: its callbacks need what
it sets up around a call.
"""

from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.ref cimport PyObject
from libc.stdint cimport int32_t

from consumer.records.block cimport ABSENT, Block, BlockRecords, Place
from consumer.kafka.librdkafka cimport Message, client_of, library

from confluent_kafka import KafkaError

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject* thing)

cdef enum:
    NO_ERROR = 0


cdef class DirectFetcher:
    """Fetches from one consumer; owned by the thread that owns it, and to be closed before it."""

    cdef object consumer
    cdef bytes topic
    cdef void* queue
    cdef Block block

    def __cinit__(self, consumer, topic):
        self.consumer, self.topic, self.block = consumer, topic.encode(), Block()
        self.queue = library.queue_new(client_of(consumer))

    def claim(self, int32_t partition):
        """Have the partition's clicks come here from now on. It must be held, or some may come the old way first."""
        cdef void* its = library.queue_get_partition(client_of(self.consumer), self.topic, partition)
        if its != NULL:
            library.queue_forward(its, self.queue)
            library.queue_destroy(its)

    def fetch(self, Py_ssize_t limit, int timeout_ms):
        """Wait for up to `limit` clicks and return them, and what else came: partition, offset and KafkaError each."""
        cdef void* queue = self.queue
        cdef Py_ssize_t count, place
        if queue == NULL:
            raise ValueError("the fetcher is closed")
        cdef Message** messages = <Message**>PyMem_RawMalloc(max(limit, 1) * sizeof(Message*))
        if messages == NULL:
            raise MemoryError
        with nogil:
            count = library.consume_batch_queue(queue, timeout_ms, messages, limit)
        try:
            return self.take(messages, count)
        finally:
            for place in range(count):
                library.message_destroy(messages[place])
            PyMem_RawFree(messages)

    def close(self):
        """Let go of the queue."""
        if self.queue != NULL:
            library.queue_destroy(self.queue)
            self.queue = NULL

    cdef take(self, Message** messages, Py_ssize_t count):
        cdef Py_ssize_t first, place
        cdef Message* message
        cdef list events = []
        if Py_REFCNT(<PyObject*>self.block) == 1:
            self.block.clear()  # nobody has records of it any more
        first = self.block.count
        for place in range(count):
            message = messages[place]
            if message.error == NO_ERROR:
                self.copy(message)
            else:
                text = library.message_errstr(message)
                events.append((message.partition, message.offset, KafkaError(message.error, text.decode())))
        return self.block.records_from(first), events

    cdef int copy(self, Message* message) except -1:
        cdef Place* place = self.block.add(message.partition, message.offset)
        cdef int kind = 0
        cdef void* headers = NULL
        if message.key != NULL:
            self.block.set_key(place, message.key, message.key_size)
        if message.value != NULL:
            self.block.set_value(place, message.value, message.value_size)
        place.timestamp = library.message_timestamp(message, &kind)
        place.timestamp_kind = kind
        if library.message_headers(message, &headers) == NO_ERROR:
            self.copy_headers(place, headers)
        return 0

    cdef int copy_headers(self, Place* place, void* headers) except -1:
        cdef const char* name
        cdef const void* value
        cdef size_t size, number = 0
        while library.header_get_all(headers, number, &name, &value, &size) == NO_ERROR:
            self.block.add_header(place, name, value, ABSENT if value == NULL else <Py_ssize_t>size)
            number += 1
        return 0
