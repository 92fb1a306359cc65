"""A topic of definitions on Kafka: those of links or of scripts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from confluent_kafka import IsolationLevel, KafkaException, Producer
from confluent_kafka.admin import AdminClient, OffsetSpec

from runtime.authoring.publishing import PublishedRecord, PublishInterrupted
from runtime.clock import Clock
from runtime.config.settings import Settings
from runtime.errors import Unavailable
from runtime.kafka.admin.acls import Acl, Operation, Role, acls_of, missing_acls_error
from runtime.kafka.admin.permission import require_acls
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, TopicAdmin
from runtime.kafka.client import (
    Isolation,
    admin_config,
    author_producer_config,
    open_admin,
    open_consumer,
    open_producer,
    reader_config,
)
from runtime.kafka.errors import (
    FENCED,
    Forbidden,
    Resource,
    fatal_error,
    first_failure,
    kafka_error,
    transaction_error,
)
from runtime.kafka.log_reader import KafkaLogReader
from runtime.kafka.offsets import read_offsets
from runtime.ports import LogReader, RetriableError
from runtime.terminal.text import counted
from schemas.topics import LINK_DEFINITIONS, TopicNames

CALL_SECONDS = 30.0
"""Timeout of one transactional call, below transaction.timeout.ms."""
ANSWER_SECONDS = 10.0
OPEN_TRANSACTION_SECONDS = 2.0
"""Longest wait for an open transaction: a commit returns a moment before readers see it."""
STALL_SECONDS = 20.0
"""Longest time without progress before the end is reached."""

_BATCH = 5000
_PARTITION = 0


class KafkaDefinitionTopic:
    """Reads and publishes definitions. Implements `DefinitionTopic`; all authors share one transactional id."""

    def __init__(
        self,
        reader: LogReader,
        admin: AdminClient,
        topic: str,
        *,
        open_author: Callable[[], Producer],
        clock: Clock,
        rights: Sequence[Acl] = (),
    ) -> None:
        """`rights` are those that an author needs, one to write of each resource."""
        self._reader = reader
        self._admin = admin
        self._topic = topic
        self._open_author = open_author
        self._clock = clock
        self._rights = rights
        self._producer: Producer | None = None
        self._reader.assign(_PARTITION, 0)

    def read_new(self) -> Iterator[PublishedRecord]:
        """Yield the records committed since the last call.

        Waits only briefly for an open transaction; after `fence_others` there is none.
        """
        end, waiting_since = self._end(), self._clock.monotonic()
        while (position := self._reader.positions[_PARTITION]) < end:
            for record in self._reader.poll(_BATCH, 0.1):
                yield record.key(), record.value()
            if self._reader.positions[_PARTITION] > position:
                waiting_since = self._clock.monotonic()
            elif self._is_stalled(self._clock.monotonic() - waiting_since):
                return

    def fence_others(self) -> None:
        """Initialize a new producer with the authors' transactional id."""
        self._producer = self._open_author()
        try:
            self._producer.init_transactions(CALL_SECONDS)
        except KafkaException as raised:
            raise self._failure(raised) from raised

    def publish(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Write the records in one transaction."""
        producer = self._producer
        if producer is None:
            raise PublishInterrupted("other authors are not fenced yet")
        try:
            producer.begin_transaction()
            for key, value in records:
                _produce(producer, self._topic, key, value)
            producer.commit_transaction(CALL_SECONDS)
        except (KafkaException, SystemError) as raised:
            self._producer = None
            first = first_failure(producer, raised)
            with suppress(KafkaException, SystemError):
                producer.abort_transaction(CALL_SECONDS)
            raise self._failure(first) from raised

    def close(self) -> None:
        """Close the connections."""
        self._producer = None
        self._reader.close()

    def _is_stalled(self, seconds: float) -> bool:
        """Return whether an open transaction blocks the reader. Raises Unavailable if the broker does."""
        if seconds > STALL_SECONDS:
            raise self._unreadable("no record arrives before its end")
        return seconds > OPEN_TRANSACTION_SECONDS and self._reader.positions[_PARTITION] >= self._committed_end()

    def _end(self) -> int:
        try:
            return self._reader.watermarks([_PARTITION])[_PARTITION][1]
        except RetriableError as error:
            raise self._unreadable(str(error)) from error

    def _committed_end(self) -> int:
        partition = (self._topic, _PARTITION)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its stub lacks the types
        committed = IsolationLevel.READ_COMMITTED
        try:
            ends = read_offsets(self._admin, [partition], latest, level=committed, answer_seconds=ANSWER_SECONDS)
            return ends[partition]
        except KafkaException as raised:
            raise self._unreadable(kafka_error(raised).str()) from raised

    def _unreadable(self, reason: str) -> Unavailable:
        return Unavailable(f"{self._topic} cannot be read ({reason}); check the broker, then try again")

    def _failure(self, raised: BaseException) -> Exception:
        """Translate an error of a transactional call: fencing is worth another attempt, a fatal error is not."""
        error = kafka_error(raised)
        if error.code() in FENCED:
            return PublishInterrupted(str(transaction_error(raised)))
        failure = fatal_error(error)
        if isinstance(failure, Forbidden):
            mine = [
                each for each in self._rights if each.resource is failure.resource and each.operation is Operation.WRITE
            ]
            return missing_acls_error(mine) if mine else failure
        return failure or PublishInterrupted(str(transaction_error(raised)))


def open_definition_topic(settings: Settings, clock: Clock, name: str = LINK_DEFINITIONS) -> KafkaDefinitionTopic:
    """Connect to the topic of an installation, given its name without prefix.

    Raises Unavailable if broker or topic is missing.
    """
    topic = settings.topic_prefix + name
    every = acls_of(Role.AUTHOR, settings.kafka, TopicNames(settings.topic_prefix, settings.group_id, ()))
    rights = [right for right in every if right.resource is not Resource.TOPIC or right.name == topic]
    require_acls(settings.kafka, [right for right in rights if right.operation is Operation.READ])
    _require_topic(KafkaTopicAdmin(settings.kafka), topic)
    # The broker reports the end in a fetch response, which it would delay for half a second by default.
    reading = {"enable.partition.eof": True, "fetch.wait.max.ms": 20}
    consumer = open_consumer(reader_config(settings.kafka, Isolation.READ_COMMITTED) | reading)
    admin = open_admin(admin_config(settings.kafka))
    reader = KafkaLogReader(consumer, admin, topic)
    author = partial(open_producer, author_producer_config(settings.kafka))
    return KafkaDefinitionTopic(reader, admin, topic, open_author=author, clock=clock, rights=rights)


def _require_topic(admin: TopicAdmin, topic: str) -> None:
    state = admin.read_topics([topic]).get(topic)
    if state is None:
        raise Unavailable(f"{topic} is missing; run link-actions topics create")
    if state.partitions != 1:
        advice = "delete it and run link-actions topics create"
        raise Unavailable(f"{topic} has {counted(state.partitions, 'partition')} and must have 1; {advice}")


def _produce(producer: Producer, topic: str, key: bytes, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, key, _PARTITION)
        except BufferError:
            producer.poll(0.1)
        else:
            return
