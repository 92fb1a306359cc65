//! librdkafka's C interface, as much of it as the job needs. Whatever goes wrong ends the process: what was open is
//! aborted by the broker, and a new process would go on from the committed offsets.

use std::ffi::{c_void, CStr, CString};
use std::os::raw::c_char;
use std::ptr::{null_mut, NonNull};
use std::slice::from_raw_parts;
use std::time::{Duration, Instant};

use rdkafka_sys as rd;

const CALL_MS: i32 = 30_000;
const ANSWER_BYTES: usize = 512;

/// A record that was read; its bytes belong to the library until it is dropped.
pub struct Message(NonNull<rd::rd_kafka_message_t>);

impl Message {
    pub fn payload(&self) -> &[u8] {
        let message = unsafe { self.0.as_ref() };
        unsafe { bytes(message.payload, message.len) }
    }

    pub fn key(&self) -> &[u8] {
        let message = unsafe { self.0.as_ref() };
        unsafe { bytes(message.key, message.key_len) }
    }

    pub fn partition(&self) -> i32 {
        unsafe { self.0.as_ref() }.partition
    }

    fn offset(&self) -> i64 {
        unsafe { self.0.as_ref() }.offset
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        unsafe { rd::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}

/// A member of the group that commits through the producer only.
pub struct Consumer {
    client: *mut rd::rd_kafka_t,
    queue: *mut rd::rd_kafka_queue_t,
}

impl Consumer {
    pub fn open(servers: &str, topic: &str, group: &str) -> Self {
        let settings = [
            ("bootstrap.servers", servers),
            ("group.id", group),
            ("isolation.level", "read_committed"),
            ("auto.offset.reset", "earliest"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("fetch.queue.backoff.ms", "50"),
            ("queued.max.messages.kbytes", "16384"),
            ("fetch.max.bytes", "8388608"),
        ];
        let client = open(rd::rd_kafka_type_t::RD_KAFKA_CONSUMER, &settings);
        let topic = text(topic);
        unsafe {
            rd::rd_kafka_poll_set_consumer(client);
            let topics = rd::rd_kafka_topic_partition_list_new(1);
            rd::rd_kafka_topic_partition_list_add(topics, topic.as_ptr(), -1);
            must(rd::rd_kafka_subscribe(client, topics), "subscribe");
            rd::rd_kafka_topic_partition_list_destroy(topics);
            Consumer { client, queue: rd::rd_kafka_queue_get_consumer(client) }
        }
    }

    /// Fill the batch until it is full or the interval since the start is over.
    pub fn gather(&self, batch: &mut Vec<Message>, interval: Duration, start: Instant) {
        let mut found = vec![null_mut(); batch.capacity()];
        while batch.len() < batch.capacity() {
            let left = interval.saturating_sub(start.elapsed()).as_millis() as i32;
            if left == 0 {
                return;
            }
            let room = batch.capacity() - batch.len();
            let count = unsafe { rd::rd_kafka_consume_batch_queue(self.queue, left, found.as_mut_ptr(), room) };
            assert!(count >= 0, "the batch cannot be read");
            batch.extend(found[..count as usize].iter().filter_map(|pointer| owned(*pointer)));
        }
    }
}

/// Take over a message; an error in its place is told and left out, for the library goes on by itself.
fn owned(pointer: *mut rd::rd_kafka_message_t) -> Option<Message> {
    let message = Message(NonNull::new(pointer)?);
    let error = unsafe { message.0.as_ref() }.err;
    if error == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Some(message);
    }
    eprintln!("consumer: {error:?}");
    None
}

/// A topic that is written to.
pub struct Topic(*mut rd::rd_kafka_topic_t);

/// The transactional producer.
pub struct Producer(*mut rd::rd_kafka_t);

impl Producer {
    pub fn open(servers: &str, transactional_id: &str) -> Self {
        let settings = [
            ("bootstrap.servers", servers),
            ("transactional.id", transactional_id),
            ("linger.ms", "5"),
            ("compression.type", "lz4"),
            ("delivery.report.only.error", "true"),
            ("queue.buffering.max.messages", "500000"),
            ("queue.buffering.max.kbytes", "131072"),
        ];
        let client = open(rd::rd_kafka_type_t::RD_KAFKA_PRODUCER, &settings);
        succeed(unsafe { rd::rd_kafka_init_transactions(client, CALL_MS) }, "init_transactions");
        Producer(client)
    }

    pub fn topic(&self, name: &str) -> Topic {
        let name = text(name);
        Topic(unsafe { rd::rd_kafka_topic_new(self.0, name.as_ptr(), null_mut()) })
    }

    pub fn begin(&self) {
        succeed(unsafe { rd::rd_kafka_begin_transaction(self.0) }, "begin_transaction");
    }

    /// Send the offsets after these messages and commit.
    pub fn commit(&self, consumer: &Consumer, batch: &[Message], topic: &str) {
        let topic = text(topic);
        unsafe {
            let places = rd::rd_kafka_topic_partition_list_new(16);
            for message in batch {
                let (name, partition) = (topic.as_ptr(), message.partition());
                let mut place = rd::rd_kafka_topic_partition_list_find(places, name, partition);
                if place.is_null() {
                    place = rd::rd_kafka_topic_partition_list_add(places, name, partition);
                }
                (*place).offset = message.offset() + 1;
            }
            let member = rd::rd_kafka_consumer_group_metadata(consumer.client);
            succeed(rd::rd_kafka_send_offsets_to_transaction(self.0, places, member, CALL_MS), "send_offsets");
            rd::rd_kafka_consumer_group_metadata_destroy(member);
            rd::rd_kafka_topic_partition_list_destroy(places);
            succeed(rd::rd_kafka_commit_transaction(self.0, CALL_MS), "commit_transaction");
        }
    }

    /// Write a record to a partition.
    pub fn produce(&self, topic: &Topic, partition: i32, key: &[u8], value: &[u8]) {
        self.while_full(|| unsafe {
            let failed = rd::rd_kafka_produce(
                topic.0,
                partition,
                rd::RD_KAFKA_MSG_F_COPY,
                value.as_ptr() as *mut c_void,
                value.len(),
                key.as_ptr().cast(),
                key.len(),
                null_mut(),
            );
            if failed == 0 {
                rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
            } else {
                rd::rd_kafka_last_error()
            }
        });
    }

    /// Write an update with the key and to the partition of its click.
    pub fn produce_event(
        &self,
        topic: &Topic,
        click: &Message,
        value: &[u8],
        headers: &[(&'static str, Vec<u8>)],
        identifier: &[u8],
    ) {
        use rd::rd_kafka_vtype_t::*;
        let key = click.key();
        self.while_full(|| unsafe {
            let list = rd::rd_kafka_headers_new(headers.len() + 1);
            for (name, content) in headers {
                add_header(list, name, content);
            }
            add_header(list, "ce_id", identifier);
            let error = rd::rd_kafka_producev(
                self.0,
                RD_KAFKA_VTYPE_RKT as i32,
                topic.0,
                RD_KAFKA_VTYPE_PARTITION as i32,
                click.partition(),
                RD_KAFKA_VTYPE_MSGFLAGS as i32,
                rd::RD_KAFKA_MSG_F_COPY,
                RD_KAFKA_VTYPE_KEY as i32,
                key.as_ptr(),
                key.len(),
                RD_KAFKA_VTYPE_VALUE as i32,
                value.as_ptr(),
                value.len(),
                RD_KAFKA_VTYPE_HEADERS as i32,
                list,
                RD_KAFKA_VTYPE_END as i32,
            );
            if error != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                rd::rd_kafka_headers_destroy(list);
            }
            error
        });
    }

    fn while_full(&self, mut produce: impl FnMut() -> rd::rd_kafka_resp_err_t) {
        loop {
            match produce() {
                rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL => unsafe {
                    rd::rd_kafka_poll(self.0, 10);
                },
                answer => return must(answer, "produce"),
            }
        }
    }
}

unsafe fn add_header(list: *mut rd::rd_kafka_headers_t, name: &str, content: &[u8]) {
    let (start, length) = (name.as_ptr().cast(), name.len() as isize);
    must(rd::rd_kafka_header_add(list, start, length, content.as_ptr().cast(), content.len() as isize), "header_add");
}

fn open(kind: rd::rd_kafka_type_t, settings: &[(&str, &str)]) -> *mut rd::rd_kafka_t {
    let mut answer: [c_char; ANSWER_BYTES] = [0; ANSWER_BYTES];
    unsafe {
        let config = rd::rd_kafka_conf_new();
        for (name, value) in settings {
            let (name, value) = (text(name), text(value));
            let done = rd::rd_kafka_conf_set(config, name.as_ptr(), value.as_ptr(), answer.as_mut_ptr(), ANSWER_BYTES);
            assert!(done == rd::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK, "{:?}", CStr::from_ptr(answer.as_ptr()));
        }
        let client = rd::rd_kafka_new(kind, config, answer.as_mut_ptr(), ANSWER_BYTES);
        assert!(!client.is_null(), "{:?}", CStr::from_ptr(answer.as_ptr()));
        client
    }
}

fn must(answer: rd::rd_kafka_resp_err_t, call: &str) {
    assert!(answer == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR, "{call}: {answer:?}");
}

fn succeed(error: *mut rd::rd_kafka_error_t, call: &str) {
    if !error.is_null() {
        panic!("{call}: {:?}", unsafe { CStr::from_ptr(rd::rd_kafka_error_string(error)) });
    }
}

fn text(value: &str) -> CString {
    CString::new(value).expect("no text of ours holds a zero")
}

unsafe fn bytes<'a>(start: *mut c_void, length: usize) -> &'a [u8] {
    if start.is_null() {
        &[]
    } else {
        from_raw_parts(start.cast(), length)
    }
}
