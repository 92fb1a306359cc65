# cython: language_level=3
"""The C interface of the librdkafka that `confluent_kafka` brings, for use with the clients of `confluent_kafka`.

Importing this raises ImportError if that is not known to be safe; the backend through `confluent_kafka` is used then.
"""

import confluent_kafka
from confluent_kafka import cimpl

cdef extern from "Python.h":
    ctypedef struct PyObject:
        pass

cdef extern from "<dlfcn.h>" nogil:
    void* dlopen(const char* path, int flags)
    void* dlsym(void* library, const char* name)
    const int RTLD_NOW

KNOWN = frozenset({"2.16.0"})
"""Versions of `confluent_kafka` whose client objects begin with the pointer to librdkafka's client (`Handle` in its
`confluent_kafka.h`), which is not part of its public interface."""

if confluent_kafka.version() not in KNOWN:
    raise ImportError(f"the layout of client objects in confluent_kafka {confluent_kafka.version()} is not known")


cdef void* find(void* module, const char* name) except NULL:
    """Return a function by name, from the extension module or the library it is linked with."""
    cdef void* found = dlsym(module, name)
    if found == NULL:
        raise ImportError(f"librdkafka has no {name.decode()}")
    return found


cdef int load() except -1:
    cdef bytes path = cimpl.__file__.encode()
    cdef void* module = dlopen(path, RTLD_NOW)
    if module == NULL:
        raise ImportError("the library of confluent_kafka cannot be opened")
    library.producev = <Produce>find(module, "rd_kafka_producev")
    library.topic_new = <NewTopic>find(module, "rd_kafka_topic_new")
    library.topic_destroy = <Release>find(module, "rd_kafka_topic_destroy")
    library.headers_new = <NewHeaders>find(module, "rd_kafka_headers_new")
    library.headers_destroy = <Release>find(module, "rd_kafka_headers_destroy")
    library.header_add = <AddHeader>find(module, "rd_kafka_header_add")
    library.queue_new = <NewQueue>find(module, "rd_kafka_queue_new")
    library.queue_get_partition = <PartitionQueue>find(module, "rd_kafka_queue_get_partition")
    library.queue_forward = <Forward>find(module, "rd_kafka_queue_forward")
    library.queue_destroy = <Release>find(module, "rd_kafka_queue_destroy")
    library.consume_batch_queue = <ConsumeBatch>find(module, "rd_kafka_consume_batch_queue")
    library.message_destroy = <DestroyMessage>find(module, "rd_kafka_message_destroy")
    library.message_timestamp = <Timestamp>find(module, "rd_kafka_message_timestamp")
    library.message_errstr = <ErrorText>find(module, "rd_kafka_message_errstr")
    library.message_headers = <HeadersOf>find(module, "rd_kafka_message_headers")
    library.header_get_all = <HeaderAt>find(module, "rd_kafka_header_get_all")
    library.queue_get_main = <NewQueue>find(module, "rd_kafka_queue_get_main")
    library.queue_poll = <PollQueue>find(module, "rd_kafka_queue_poll")
    library.event_type = <EventNumber>find(module, "rd_kafka_event_type")
    library.event_message_next = <EventMessage>find(module, "rd_kafka_event_message_next")
    library.event_error = <EventNumber>find(module, "rd_kafka_event_error")
    library.event_error_string = <EventText>find(module, "rd_kafka_event_error_string")
    library.event_error_is_fatal = <EventNumber>find(module, "rd_kafka_event_error_is_fatal")
    library.event_log = <EventLog>find(module, "rd_kafka_event_log")
    library.event_destroy = <Release>find(module, "rd_kafka_event_destroy")
    return 0


cdef void* client_of(object handle) except NULL:
    """Return librdkafka's client behind one of `confluent_kafka`, which must be open and used by this thread only."""
    if not isinstance(handle, (cimpl.Consumer, cimpl.Producer)):
        raise TypeError(f"{handle!r} is no client")
    cdef void* client = (<void**>(<char*><void*>handle + sizeof(PyObject)))[0]
    if client == NULL:
        raise ValueError("the client is closed")
    return client


load()
