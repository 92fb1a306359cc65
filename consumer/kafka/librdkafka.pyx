# cython: language_level=3
"""librdkafka itself: the one that `confluent_kafka` brings, whose clients are used through its C interface here.

Loading this raises ImportError where that is not known to be safe: then everything goes through `confluent_kafka`.
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
"""Versions of `confluent_kafka` whose clients begin with the pointer to librdkafka's client (`Handle` in its
`confluent_kafka.h`), which its public interface keeps to itself."""

if confluent_kafka.version() not in KNOWN:
    raise ImportError(f"confluent_kafka {confluent_kafka.version()} is not known to have its clients where they are sought")


cdef void* find(void* module, const char* name) except NULL:
    """Return a function by its name: in the extension module, or in the library that it needs."""
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
    return 0


cdef void* client_of(object handle) except NULL:
    """Return librdkafka's client of one of `confluent_kafka`, open and in use by this thread alone."""
    if not isinstance(handle, (cimpl.Consumer, cimpl.Producer)):
        raise TypeError(f"{handle!r} is no client")
    cdef void* client = (<void**>(<char*><void*>handle + sizeof(PyObject)))[0]
    if client == NULL:
        raise ValueError("the client is closed")
    return client


load()
