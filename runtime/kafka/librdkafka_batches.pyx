# cython: language_level=3, wraparound=False
"""Producing batches with delivery reports through librdkafka's C interface, without a Python call per record.

`confluent_kafka` takes and releases the interpreter's lock for each record's report, and so contends with every other
thread for it. Here the reports of a batch are counted in C: the client's own queue is read as events.
"""

import math
import time

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8
from libc.stdint cimport int64_t

from runtime.kafka.librdkafka cimport (
    COPY_BYTES, DELIVERY, END, ERROR, KEY, LOG, MSGFLAGS, OPAQUE, TIMESTAMP, TOPIC, VALUE, Message, client_of, library,
)

from confluent_kafka import KafkaError

from runtime.kafka.client import note_error, note_log

cdef enum:
    NO_ERROR = 0
    QUEUE_FULL = -184


cdef class BatchProducer:
    """Implements `BatchProducer` with one producer, on the thread that owns it; close it before the producer."""

    cdef object producer
    cdef void* queue
    cdef Py_ssize_t in_flight
    cdef readonly list failures

    def __cinit__(self, producer):
        self.producer, self.failures = producer, []
        self.queue = library.queue_get_main(client_of(producer))

    def produce(self, list records, Py_ssize_t start, Py_ssize_t end):
        """Queue the records of a batch from `start` up to `end`; return the index of the first one without room."""
        cdef void* client = client_of(self.producer)
        cdef Py_ssize_t index
        cdef int failed
        cdef str topic
        cdef bytes key, value
        cdef int64_t timestamp_ms
        for index in range(start, end):
            topic, timestamp_ms, key, value = <tuple>records[index]
            failed = library.producev(
                client,
                <int>TOPIC, PyUnicode_AsUTF8(topic),
                <int>TIMESTAMP, timestamp_ms,
                <int>KEY, <void*>PyBytes_AS_STRING(key), <size_t>PyBytes_GET_SIZE(key),
                <int>VALUE, <void*>PyBytes_AS_STRING(value), <size_t>PyBytes_GET_SIZE(value),
                <int>MSGFLAGS, <int>COPY_BYTES,
                <int>OPAQUE, <void*>index,
                <int>END,
            )
            if failed == QUEUE_FULL:
                return index
            if failed == NO_ERROR:
                self.in_flight += 1
            else:
                self.failures.append((index, KafkaError(failed)))
        return end

    def wait(self, double timeout_seconds):
        """Wait until everything queued is acknowledged or failed, and return whether it is."""
        cdef double left, deadline = time.monotonic() + timeout_seconds
        cdef int timeout_ms = 0
        cdef void* queue = self.queue
        cdef void* event
        if queue == NULL:
            raise ValueError("the producer is closed")
        while True:
            if self.in_flight:
                timeout_ms = math.ceil(max(deadline - time.monotonic(), 0.0) * 1000)
            else:
                timeout_ms = 0
            with nogil:
                event = library.queue_poll(queue, timeout_ms)
            if event == NULL:
                return self.in_flight == 0
            try:
                self.take(event)
            finally:
                library.event_destroy(event)

    def close(self):
        """Release the queue; the producer stays open."""
        if self.queue != NULL:
            library.queue_destroy(self.queue)
            self.queue = NULL

    cdef int take(self, void* event) except -1:
        cdef int kind = library.event_type(event)
        cdef const Message* message
        cdef const char* facility = b""
        cdef const char* text = b""
        cdef int level = 7
        if kind == DELIVERY:
            message = library.event_message_next(event)
            while message != NULL:
                self.in_flight -= 1
                if message.error != NO_ERROR:
                    self.failures.append((<Py_ssize_t>message.opaque, KafkaError(message.error)))
                message = library.event_message_next(event)
        elif kind == ERROR:
            text = library.event_error_string(event)
            fatal = bool(library.event_error_is_fatal(event))
            note_error(KafkaError(library.event_error(event), text.decode("utf-8", "replace"), fatal))
        elif kind == LOG and library.event_log(event, &facility, &text, &level) == NO_ERROR:
            note_log(level, facility.decode("utf-8", "replace"), text.decode("utf-8", "replace"))
        return 0
