"""The producer of the spool on confluent-kafka. Implements `SpoolProducer`."""

from confluent_kafka import KafkaError, KafkaException, Producer

from edge.publisher import DeliveryError, OnDelivery, ProducerFailed
from edge.spool.reader import Spooled
from runtime.config.kafka_settings import KafkaSettings
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


class KafkaSpoolProducer:
    """An idempotent producer: acks=all, murmur2 of the key, records in the order of their production."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def produce(self, topic: str, record: Spooled, on_delivery: OnDelivery) -> bool:
        """Queue the record, and return whether there was room. Raises ProducerFailed."""
        _, timestamp_ms, key, value = record.record
        try:
            self._producer.produce(
                topic,
                value,
                key,
                timestamp=timestamp_ms,
                on_delivery=lambda error, _message: on_delivery(None if error is None else _delivery_error(error)),
            )
        except BufferError:
            return False
        except KafkaException as error:
            reason = _delivery_error(error.args[0])
            if not reason.is_final:
                raise ProducerFailed(reason.reason) from error
            on_delivery(reason)
        return True

    def poll(self, timeout_seconds: float) -> None:
        """Call `on_delivery` for what was acknowledged or failed."""
        self._producer.poll(timeout_seconds)

    def close(self) -> None:
        """Discard what is queued."""
        self._producer.purge()


def _delivery_error(error: KafkaError) -> DeliveryError:
    return DeliveryError(f"{error.str()} ({error.name()})", error.code() in _REFUSES_RECORD)


def spool_producer_config(settings: KafkaSettings) -> ClientConfig:
    """Configure the producer; a record that its file of properties times out is sent again by a new producer."""
    return producer_config(settings) | _NO_TIME_LIMIT


def open_spool_producer(settings: KafkaSettings, credentials: Credentials, user: str) -> KafkaSpoolProducer:
    """Open a producer, in the place of the last one for the same user. Raises UsageError if a property is wrong."""
    config = spool_producer_config(settings)
    return KafkaSpoolProducer(credentials.open(f"producer of the {user}", open_producer, config, role="producer"))
