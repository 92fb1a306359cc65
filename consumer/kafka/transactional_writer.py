"""The producer of one worker, and its transactions, on a real Kafka."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from consumer.kafka.bounded_call import call_within
from consumer.kafka.errors import first_failure, produce_error, producer_error, transaction_failure
from consumer.kafka.sending import Send
from consumer.ports import OutcomeUnknown, ProducerRecord

_CALL_SECONDS = 10.0
"""Bound of opening a producer, and of aborting."""
_TRANSACTION_SECONDS = 10.0
"""Bound of a transaction from its beginning on, all calls together; below `transaction.timeout.ms`: after that the
broker fences the producer, and a worker that is merely late would look like one that was replaced."""
_HANG_SECONDS = 1.0
"""How much later sending the offsets is given up, whose own time-out the library forgets while it looks for a
coordinator that went away: librdkafka issues 5456 and 5511, seen at every restart of a broker that an open transaction
lives through. The call that is left to itself ends once a coordinator answers again and an idle connection is closed
while another one is up: `connections.max.idle.ms` and `topic.metadata.refresh.interval.ms`."""
_QUEUE_FULL_SECONDS = 0.05
"""How long is waited for room in the queue between two tries."""

Signed = tuple[list[TopicPartition], Any]
"""Offsets of the clicks, and the membership of the group that vouches for them."""


class TransactionalWriter:
    """Writes in transactions, one at a time; owned by one thread. Raises what `TransactionalConsumer` does."""

    def __init__(self, open_producer: Callable[[], Producer], send: Send) -> None:
        self._send = send
        self._open_producer = open_producer
        self._producer: Producer | None = None
        self._tracked: dict[int, int | None] = {}
        self._give_up_at = 0.0

    def begin(self) -> None:
        """Open a transaction."""
        try:
            self._need_producer().begin_transaction()
        except KafkaException as raised:
            raise transaction_failure(raised) from raised
        self._give_up_at = time.monotonic() + _TRANSACTION_SECONDS

    def produce(self, record: ProducerRecord) -> None:
        """Write one record in the open transaction."""
        self._enqueue(record, None)

    def produce_all(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        """Write records; one that is not taken at once is tried again by itself."""
        producer = self._need_producer()
        place = self._send(producer, partition, records, 0)
        while place < len(records):
            topic, value, key, headers = records[place]
            self._enqueue(ProducerRecord(topic, partition, key, value, headers or ()), None)
            place = self._send(producer, partition, records, place + 1)

    def track(self, record: ProducerRecord) -> None:
        """Write, and let `commit` tell the offset after it."""
        self._tracked[record.partition] = None
        self._enqueue(record, self._note_delivery)

    def commit(self, sign: Callable[[], Signed]) -> Mapping[int, int]:
        """Flush, send the offsets, commit; return the offset after the tracked record of each partition.

        In this order, since a group that has moved on refuses the offsets and nothing else: records that came after
        them would lie behind the end of the changelog that the partition's next owner reads to. So `sign` is asked for
        the offsets and the membership once the records are in the log.
        """
        producer = self._need_producer()
        try:
            if producer.flush(self._seconds_left()):
                raise OutcomeUnknown("records were not delivered in time")
            places, member = sign()
            seconds = self._seconds_left()
            call_within(seconds + _HANG_SECONDS, producer.send_offsets_to_transaction, places, member, seconds)
            producer.commit_transaction(self._seconds_left())
        except (KafkaException, SystemError) as raised:
            raise transaction_failure(raised) from raised
        tracked, self._tracked = self._tracked, {}
        known = {partition: offset for partition, offset in tracked.items() if offset is not None}
        if len(known) < len(tracked):
            # A repeated send that the broker knew to be one, too late to say where the first one went.
            raise OutcomeUnknown("the broker does not tell where the records are")
        return known

    def abort(self) -> None:
        """Abort the open transaction."""
        self._tracked = {}
        try:
            self._need_producer().abort_transaction(_CALL_SECONDS)
        except (KafkaException, SystemError) as raised:
            raise producer_error(raised) from raised

    def renew(self) -> None:
        """Replace the producer; `init_transactions` bumps the epoch, which a late commit of the old one then meets."""
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
        """Return how long the transaction may still take. Raises OutcomeUnknown where that is over."""
        left = self._give_up_at - time.monotonic()
        if left <= 0:
            raise OutcomeUnknown(f"the transaction took longer than {_TRANSACTION_SECONDS:g} s")
        return left

    def _enqueue(
        self, record: ProducerRecord, on_delivery: Callable[[KafkaError | None, Message], None] | None
    ) -> None:
        """Hand one record to the library, waiting while its queue is full."""
        producer = self._need_producer()
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
                self._make_room(producer)
            except KafkaException as raised:
                raise produce_error(first_failure(producer, raised)) from raised
            else:
                return

    def _make_room(self, producer: Producer) -> None:
        self._seconds_left()
        try:
            producer.poll(_QUEUE_FULL_SECONDS)
        except (KafkaException, SystemError) as raised:
            raise produce_error(raised) from raised

    def _note_delivery(self, error: KafkaError | None, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error is None and partition is not None and offset is not None:
            self._tracked[partition] = offset + 1

    def _need_producer(self) -> Producer:
        if self._producer is None:
            raise OutcomeUnknown("there is no producer yet")
        return self._producer
