"""The topic of definitions on a real Kafka."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from confluent_kafka import KafkaException, Producer

from consumer.authoring.history import PublishedRecord
from consumer.authoring.publishing import Overtaken
from consumer.clock import Clock
from consumer.errors import Unavailable
from consumer.kafka.client import (
    Isolation,
    admin_config,
    open_admin,
    open_consumer,
    open_producer,
    producer_config,
    reader_config,
)
from consumer.kafka.errors import kafka_error, transaction_failure, what_must_be_mended
from consumer.kafka.log_reader import KafkaLogReader
from consumer.settings import Settings
from consumer.streams import LogReader, Unreachable
from schemas.topics import LINK_DEFINITIONS

CALL_SECONDS = 30.0
"""Bound of one transactional call, below the broker's patience with a transaction."""
TRANSACTION_MS = 60_000
"""After so long the broker ends the transaction of an author who died; the next author ends it at once."""
STALL_SECONDS = 75.0
"""How long reading may stand still: longer than a dead author's transaction can hold up the readers."""

_BATCH = 5000
_PARTITION = 0


class KafkaDefinitionTopic:
    """Reads and publishes definitions. Implements `DefinitionTopic`; all authors share one transactional id."""

    def __init__(self, reader: LogReader, open_author: Callable[[], Producer], topic: str, clock: Clock) -> None:
        self._reader = reader
        self._open_author = open_author
        self._topic = topic
        self._clock = clock
        self._producer: Producer | None = None
        self._reader.start(_PARTITION, 0)

    def read_new(self) -> Iterator[PublishedRecord]:
        """Yield what was published since the last call, committed records only, up to the end at this call."""
        try:
            _, end = self._reader.bounds([_PARTITION])[_PARTITION]
            moved_at = self._clock.monotonic()
            while (position := self._reader.positions[_PARTITION]) < end:
                for record in self._reader.read(_BATCH, 0.1):
                    yield record.key(), record.value()
                if self._reader.positions[_PARTITION] > position:
                    moved_at = self._clock.monotonic()
                if self._clock.monotonic() - moved_at > STALL_SECONDS:
                    raise Unavailable(f"{self._topic} cannot be read to its end; look at the broker, then try again")
        except Unreachable as error:
            raise Unavailable(f"{self._topic} cannot be read ({error}); look at the broker, then try again") from error

    def take_over(self) -> None:
        """Fence every author who took over before, by a new producer under the authors' transactional id."""
        self._producer = self._open_author()
        try:
            self._producer.init_transactions(CALL_SECONDS)
        except KafkaException as raised:
            raise _failure(raised) from raised

    def publish(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Write the records in one transaction."""
        producer = self._producer
        if producer is None:
            raise Overtaken("nobody took over yet")
        try:
            producer.begin_transaction()
            for key, value in records:
                _produce(producer, self._topic, key, value)
            producer.commit_transaction(CALL_SECONDS)
        except (KafkaException, SystemError) as raised:
            self._producer = None
            with suppress(KafkaException, SystemError):
                producer.abort_transaction(CALL_SECONDS)
            raise _failure(raised) from raised

    def close(self) -> None:
        """Let go of the connections."""
        self._producer = None
        self._reader.close()


def open_definition_topic(settings: Settings, clock: Clock) -> KafkaDefinitionTopic:
    """Connect to the topic of an installation. Raises Unavailable when broker or topic are not there."""
    topic = settings.topic_prefix + LINK_DEFINITIONS
    consumer = open_consumer(reader_config(settings, Isolation.READ_COMMITTED) | {"enable.partition.eof": True})
    reader = KafkaLogReader(consumer, open_admin(admin_config(settings)), topic)
    author = producer_config(settings) | {
        "transactional.id": f"{settings.topic_prefix}link-definitions",
        "transaction.timeout.ms": TRANSACTION_MS,
        "retry.backoff.ms": 20,
    }
    return KafkaDefinitionTopic(reader, lambda: open_producer(author), topic, clock)


def _produce(producer: Producer, topic: str, key: bytes, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, key, _PARTITION)
        except BufferError:
            producer.poll(0.1)
        else:
            return


def _failure(raised: BaseException) -> Exception:
    """Translate what a transactional call raised: only a person can mend it, or it is worth another attempt."""
    error = kafka_error(raised)
    mend = what_must_be_mended(error)
    return mend if isinstance(mend, Unavailable) else Overtaken(str(transaction_failure(raised)))
