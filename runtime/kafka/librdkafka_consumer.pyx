# cython: language_level=3, wraparound=False
"""Fetching clicks through librdkafka's C interface into a block of memory, without a Python object per record.

Attached partitions deliver their clicks to a queue of the fetcher. Everything else (rebalances, errors of the group) stays
in the client's own queue, which only `confluent_kafka` can serve: its callbacks need what it sets up around a call.
"""

import math
import time

from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.ref cimport PyObject
from libc.stdint cimport int32_t

from runtime.records.block cimport ABSENT, Block, BlockRecords, IndexEntry
from runtime.kafka.librdkafka cimport Message, client_of, library

from confluent_kafka import KafkaError

from runtime.kafka.librdkafka_consumer_py import ClickFetcher as EventFetcher

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject* thing)

cdef enum:
    NO_ERROR = 0
    EVENT_LIMIT = 100

cdef double POLL_SECONDS = 0.02
"""Wait for clicks, after which the client's own queue is served again."""


cdef class ClickFetcher:
    """Fetches from one consumer, on the thread that owns it; close it before the consumer. Implements `Fetcher`."""

    cdef object consumer, events
    cdef bytes topic
    cdef void* queue
    cdef Block block

    def __cinit__(self, consumer, topic):
        self.consumer, self.topic, self.block = consumer, topic.encode(), Block()
        self.events = EventFetcher(consumer, topic)
        self.queue = library.queue_new(client_of(consumer))

    def attach(self, int32_t partition):
        """Forward the partition's clicks to the fetcher's queue. It must be paused: clicks may be in the client's queue."""
        cdef void* its = library.queue_get_partition(client_of(self.consumer), self.topic, partition)
        if its != NULL:
            library.queue_forward(its, self.queue)
            library.queue_destroy(its)

    def fetch(self, Py_ssize_t limit, double timeout_seconds):
        """Return up to `limit` clicks and the events that came with them, as soon as there is one of either."""
        cdef double left, deadline = time.monotonic() + timeout_seconds
        while True:
            found = self.events.fetch(EVENT_LIMIT, 0)
            if any(found):
                return found
            left = max(deadline - time.monotonic(), 0.0)
            found = self.fetch_clicks(limit, math.ceil(min(left, POLL_SECONDS) * 1000))
            if any(found) or left <= POLL_SECONDS:
                return found

    cdef fetch_clicks(self, Py_ssize_t limit, int timeout_ms):
        cdef void* queue = self.queue
        cdef Py_ssize_t count, index
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
            for index in range(count):
                library.message_destroy(messages[index])
            PyMem_RawFree(messages)

    def close(self):
        """Release the queue; the consumer stays open."""
        if self.queue != NULL:
            library.queue_destroy(self.queue)
            self.queue = NULL

    cdef take(self, Message** messages, Py_ssize_t count):
        cdef Py_ssize_t first, index
        cdef Message* message
        cdef list events = []
        if Py_REFCNT(<PyObject*>self.block) == 1:
            self.block.clear()  # none of its records is referenced any more
        first = self.block.count
        for index in range(count):
            message = messages[index]
            if message.error == NO_ERROR:
                self.copy(message)
            else:
                text = library.message_errstr(message)
                events.append((message.partition, message.offset, KafkaError(message.error, text.decode())))
        return self.block.records_from(first), events

    cdef int copy(self, Message* message) except -1:
        cdef IndexEntry* entry = self.block.add(message.partition, message.offset)
        cdef int kind = 0
        cdef void* headers = NULL
        if message.key != NULL:
            self.block.set_key(entry, message.key, message.key_size)
        if message.value != NULL:
            self.block.set_value(entry, message.value, message.value_size)
        entry.timestamp = library.message_timestamp(message, &kind)
        entry.timestamp_kind = kind
        if library.message_headers(message, &headers) == NO_ERROR:
            self.copy_headers(entry, headers)
        return 0

    cdef int copy_headers(self, IndexEntry* entry, void* headers) except -1:
        cdef const char* name
        cdef const void* value
        cdef size_t size, number = 0
        while library.header_get_all(headers, number, &name, &value, &size) == NO_ERROR:
            self.block.add_header(entry, name, value, ABSENT if value == NULL else <Py_ssize_t>size)
            number += 1
        return 0
