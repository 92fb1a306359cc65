"""The producers of an edge on confluent-kafka. Implements `SpoolProducer` and `RecordProducer`."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Producer

from edge.direct_publisher import OnDelivery
from edge.publisher import Failure, OutgoingRecord, ProducerFailed
from edge.spool.record import SpooledRecord
from runtime.config.kafka_settings import KafkaSettings
from runtime.kafka.backend import BACKENDS, CONFLUENT_KAFKA, best_backend
from runtime.kafka.backend_ports import OpenBatchProducer
from runtime.kafka.client import ClientConfig, open_producer, producer_config
from runtime.kafka.credentials import Credentials

_NO_TIME_LIMIT = {"message.timeout.ms": 0}
"""A record waits for its broker for as long as it takes; only a new producer would do anything else."""
_REFUSES_RECORD = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.RECORD_LIST_TOO_LARGE,
    }
)
"""Errors about one record, or the batch that it was sent in; the topic takes others."""
_AT_A_TIME = 500
"""Records queued without letting another thread run."""


class KafkaSpoolProducer:
    """An idempotent producer: acks=all, murmur2 of the key, records in the order of their production."""

    def __init__(self, producer: Producer, open_batches: OpenBatchProducer) -> None:
        self._producer = producer
        self._batches = open_batches(producer)

    def produce(self, batch: Sequence[OutgoingRecord], start: int) -> int:
        """Queue the records of a batch from `start` on; return the index of the first one without room."""
        if start == 0:
            self._batches.failures.clear()
        while start < len(batch):
            end = min(start + _AT_A_TIME, len(batch))
            taken = self._batches.produce(batch, start, end)
            if taken < end:
                return taken
            start = end
        return start

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until all that is queued is acknowledged or failed, and return whether it is."""
        return self._batches.wait(timeout_seconds)

    @property
    def failures(self) -> Sequence[Failure]:
        """The records of the batch that failed, the first ones first."""
        return sorted(Failure(index, _reason(error), _is_final(error)) for index, error in self._batches.failures)

    def close(self) -> None:
        """Discard what is queued."""
        self._batches.close()
        self._producer.purge()


class KafkaRecordProducer:
    """The same for single records."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def produce(self, topic: str, record: SpooledRecord, on_delivery: OnDelivery) -> bool:
        """Queue the record, and return whether there was room. Raises ProducerFailed."""
        _, timestamp_ms, key, value = record
        try:
            self._producer.produce(
                topic,
                value,
                key,
                timestamp=timestamp_ms,
                on_delivery=lambda error, _message: on_delivery(error is None),
            )
        except BufferError:
            return False
        except KafkaException as error:
            raise ProducerFailed(_reason(error.args[0])) from error
        return True

    def poll(self) -> None:
        """Call `on_delivery` for what was acknowledged or failed."""
        self._producer.poll(0)


def _reason(error: KafkaError) -> str:
    return f"{error.str()} ({error.name()})"


def _is_final(error: KafkaError) -> bool:
    return error.code() in _REFUSES_RECORD


def spool_producer_config(settings: KafkaSettings) -> ClientConfig:
    """Configure the producer; a record that its file of properties times out is sent again by a new producer."""
    return producer_config(settings) | _NO_TIME_LIMIT


def open_spool_producer(settings: KafkaSettings, credentials: Credentials, user: str) -> KafkaSpoolProducer:
    """Open a producer, in the place of the last one for the same user. Raises UsageError if a property is wrong."""
    config = spool_producer_config(settings)
    return KafkaSpoolProducer(_open(config, credentials, user), BACKENDS[_backend(config)].open_batch_producer)


def open_record_producer(settings: KafkaSettings, credentials: Credentials) -> KafkaRecordProducer:
    """Open a producer for single records. Raises UsageError if a property is wrong."""
    return KafkaRecordProducer(_open(spool_producer_config(settings), credentials, "recorder"))


def _open(config: ClientConfig, credentials: Credentials, user: str) -> Producer:
    return credentials.open(f"producer of the {user}", open_producer, config, role="producer")


def _backend(config: ClientConfig) -> str:
    """Return the backend; the library asks for OAuth tokens in callbacks, which only `confluent_kafka` serves."""
    mechanism = config.get("sasl.mechanism", config.get("sasl.mechanisms", ""))
    return CONFLUENT_KAFKA if str(mechanism).upper() == "OAUTHBEARER" else best_backend()
