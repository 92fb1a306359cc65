"""The transactional producer of one worker."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from runtime.kafka.backend_ports import ProduceBatch, SendableRecord
from runtime.kafka.bounded_call import call_within
from runtime.kafka.errors import first_failure, produce_error, producer_error, transaction_error
from runtime.ports import OutcomeUnknown, ProducerRecord

_CALL_SECONDS = 10.0
"""Timeout for opening a producer and for aborting."""
_TRANSACTION_SECONDS = 10.0
"""Timeout for a transaction from its beginning, all calls together. It is below `transaction.timeout.ms`: then the
broker fences the producer, and a late worker would look like one that was replaced."""
_HANG_SECONDS = 1.0
"""Time after its own timeout at which sending the offsets is abandoned. The library forgets that timeout while it looks
for a coordinator that went away (librdkafka issues 5456 and 5511), at every broker restart that an open transaction
lives through. The abandoned call ends once a coordinator answers again and an idle connection is closed while another
is up: `connections.max.idle.ms` and `topic.metadata.refresh.interval.ms`."""
_QUEUE_FULL_SECONDS = 0.05
"""Time to wait for room in a full queue before the next attempt."""

GroupOffsets = tuple[list[TopicPartition], Any]
"""Offsets of the clicks, and the group metadata that they are sent to the transaction with."""


class TransactionalProducer:
    """Produces in transactions, one at a time, on one thread. Raises what `TransactionalConsumer` raises."""

    def __init__(self, open_producer: Callable[[], Producer], produce_batch: ProduceBatch) -> None:
        self._produce_batch = produce_batch
        self._open_producer = open_producer
        self._producer: Producer | None = None
        self._tracked: dict[int, int | None] = {}
        self._deadline = 0.0

    def begin_transaction(self) -> None:
        """Open a transaction."""
        try:
            self._require_producer().begin_transaction()
        except KafkaException as raised:
            raise transaction_error(raised) from raised
        self._deadline = time.monotonic() + _TRANSACTION_SECONDS

    def produce(self, record: ProducerRecord) -> None:
        """Produce one record in the open transaction."""
        self._enqueue(record, None)

    def produce_batch(self, partition: int, records: Sequence[SendableRecord]) -> None:
        """Produce records in order; one that is not taken at once is produced again on its own."""
        producer = self._require_producer()
        index = self._produce_batch(producer, partition, records, 0)
        while index < len(records):
            topic, value, key, headers = records[index]
            self._enqueue(ProducerRecord(topic, partition, key, value, headers or ()), None)
            index = self._produce_batch(producer, partition, records, index + 1)

    def produce_tracked(self, record: ProducerRecord) -> None:
        """Produce one record; `commit_transaction` returns the offset after it."""
        self._tracked[record.partition] = None
        self._enqueue(record, self._on_delivery)

    def commit_transaction(self, group_offsets: Callable[[], GroupOffsets]) -> Mapping[int, int]:
        """Flush, send the offsets, commit; return the offset after the tracked record of each partition.

        The offsets are sent last, because a group that has moved on refuses only them: records produced after that
        would lie behind the changelog end that the partition's next owner reads to. So `group_offsets` is called once
        the records are in the log.
        """
        producer = self._require_producer()
        try:
            if producer.flush(self._seconds_left()):
                raise OutcomeUnknown("records were not delivered in time")
            offsets, group = group_offsets()
            seconds = self._seconds_left()
            call_within(seconds + _HANG_SECONDS, producer.send_offsets_to_transaction, offsets, group, seconds)
            producer.commit_transaction(self._seconds_left())
        except (KafkaException, SystemError) as raised:
            raise transaction_error(raised) from raised
        tracked, self._tracked = self._tracked, {}
        known = {partition: offset for partition, offset in tracked.items() if offset is not None}
        if len(known) < len(tracked):
            # The broker recognised a retried send, but no longer knows the offset of the first one.
            raise OutcomeUnknown("the broker does not return the offsets of the records")
        return known

    def abort_transaction(self) -> None:
        """Abort the open transaction."""
        self._tracked = {}
        try:
            self._require_producer().abort_transaction(_CALL_SECONDS)
        except (KafkaException, SystemError) as raised:
            raise producer_error(raised) from raised

    def reinit(self) -> None:
        """Replace the producer: `init_transactions` bumps the epoch, which fences a late commit of the old one."""
        self._tracked = {}
        if self._producer is not None:
            self._producer.purge()
        self._producer = None
        producer = self._open_producer()
        try:
            producer.init_transactions(_CALL_SECONDS)
        except (KafkaException, SystemError) as raised:
            raise producer_error(raised) from raised
        self._producer = producer

    def _seconds_left(self) -> float:
        """Return how long the transaction may still take. Raises OutcomeUnknown if its time is over."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise OutcomeUnknown(f"the transaction took longer than {_TRANSACTION_SECONDS:g} s")
        return left

    def _enqueue(
        self, record: ProducerRecord, on_delivery: Callable[[KafkaError | None, Message], None] | None
    ) -> None:
        """Hand one record to the library; wait while its queue is full."""
        producer = self._require_producer()
        headers: list[tuple[str, str | bytes | None]] = list(record.headers)
        while True:
            try:
                producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    record.partition,
                    on_delivery=on_delivery,
                    timestamp=record.timestamp,
                    headers=headers,
                )
            except BufferError:
                self._wait_for_room(producer)
            except KafkaException as raised:
                raise produce_error(first_failure(producer, raised)) from raised
            else:
                return

    def _wait_for_room(self, producer: Producer) -> None:
        self._seconds_left()
        try:
            producer.poll(_QUEUE_FULL_SECONDS)
        except (KafkaException, SystemError) as raised:
            raise produce_error(raised) from raised

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error is None and partition is not None and offset is not None:
            self._tracked[partition] = offset + 1

    def _require_producer(self) -> Producer:
        if self._producer is None:
            raise OutcomeUnknown("there is no producer yet")
        return self._producer
