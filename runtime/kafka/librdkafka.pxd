# cython: language_level=3
"""Declarations of librdkafka's C interface, as in its header `rdkafka.h`."""

from libc.stdint cimport int32_t, int64_t

cdef enum:
    COPY_BYTES = 0x2  # RD_KAFKA_MSG_F_COPY
    # rd_kafka_vtype_t
    END = 0
    TOPIC = 1
    RKT = 2
    PARTITION = 3
    VALUE = 4
    KEY = 5
    OPAQUE = 6
    MSGFLAGS = 7
    TIMESTAMP = 8
    HEADERS = 10

cdef enum:
    # rd_kafka_event_type_t
    DELIVERY = 0x1  # RD_KAFKA_EVENT_DR
    LOG = 0x4
    ERROR = 0x8

cdef struct Message:
    # rd_kafka_message_t
    int error
    void* topic
    int32_t partition
    void* value
    size_t value_size
    void* key
    size_t key_size
    int64_t offset
    void* opaque

ctypedef int (*Produce)(void* client, ...) noexcept nogil
ctypedef void* (*NewTopic)(void* client, const char* name, void* config) noexcept nogil
ctypedef void (*Release)(void* thing) noexcept nogil
ctypedef void* (*NewHeaders)(size_t room) noexcept nogil
ctypedef int (*AddHeader)(void* headers, const char* name, ssize_t name_size, const void* value, ssize_t size) noexcept nogil

ctypedef void* (*NewQueue)(void* client) noexcept nogil
ctypedef void* (*PartitionQueue)(void* client, const char* topic, int32_t partition) noexcept nogil
ctypedef void (*Forward)(void* queue, void* target) noexcept nogil
ctypedef ssize_t (*ConsumeBatch)(void* queue, int timeout_ms, Message** messages, size_t size) noexcept nogil
ctypedef void (*DestroyMessage)(Message* message) noexcept nogil
ctypedef int64_t (*Timestamp)(const Message* message, int* kind) noexcept nogil
ctypedef const char* (*ErrorText)(const Message* message) noexcept nogil
ctypedef int (*HeadersOf)(const Message* message, void** headers) noexcept nogil
ctypedef int (*HeaderAt)(
    const void* headers, size_t number, const char** name, const void** value, size_t* size
) noexcept nogil

ctypedef void* (*PollQueue)(void* queue, int timeout_ms) noexcept nogil
ctypedef int (*EventNumber)(void* event) noexcept nogil
ctypedef const char* (*EventText)(void* event) noexcept nogil
ctypedef const Message* (*EventMessage)(void* event) noexcept nogil
ctypedef int (*EventLog)(void* event, const char** facility, const char** text, int* level) noexcept nogil

cdef struct Library:
    Produce producev
    NewTopic topic_new
    Release topic_destroy
    NewHeaders headers_new
    Release headers_destroy
    AddHeader header_add
    NewQueue queue_new
    PartitionQueue queue_get_partition
    Forward queue_forward
    Release queue_destroy
    ConsumeBatch consume_batch_queue
    DestroyMessage message_destroy
    Timestamp message_timestamp
    ErrorText message_errstr
    HeadersOf message_headers
    HeaderAt header_get_all
    NewQueue queue_get_main
    PollQueue queue_poll
    EventNumber event_type
    EventMessage event_message_next
    EventNumber event_error
    EventText event_error_string
    EventNumber event_error_is_fatal
    EventLog event_log
    Release event_destroy

cdef Library library

cdef void* client_of(object handle) except NULL
