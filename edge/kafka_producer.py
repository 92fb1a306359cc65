"""The producer of the spool on confluent-kafka. Implements `SpoolProducer`."""

from collections.abc import Callable

from confluent_kafka import KafkaException, Producer

from edge.publisher import ProducerFailed
from edge.spool.spool import Spooled
from runtime.config.kafka_settings import KafkaSettings
from runtime.kafka.client import ClientConfig, open_producer, producer_config
from runtime.kafka.credentials import Credentials

_NO_TIME_LIMIT = {"message.timeout.ms": 0}
"""A record waits for its broker for as long as it takes; only a new producer would do anything else."""


class KafkaSpoolProducer:
    """An idempotent producer: acks=all, murmur2 of the key, records in the order of their production."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def produce(self, topic: str, record: Spooled, on_delivery: Callable[[bool], None]) -> bool:
        """Queue the record, and return whether there was room."""
        _, timestamp_ms, key, value = record.record
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
            raise ProducerFailed(error.args[0].str()) from error
        return True

    def poll(self, timeout_seconds: float) -> None:
        """Call `on_delivery` for what was acknowledged or failed."""
        self._producer.poll(timeout_seconds)

    def close(self) -> None:
        """Discard what is queued."""
        self._producer.purge()


def spool_producer_config(settings: KafkaSettings) -> ClientConfig:
    """Configure the producer; a record that its file of properties times out is sent again by a new producer."""
    return producer_config(settings) | _NO_TIME_LIMIT


def open_spool_producer(settings: KafkaSettings, credentials: Credentials) -> KafkaSpoolProducer:
    """Open a producer. Raises UsageError if a property is wrong."""
    config = spool_producer_config(settings)
    return KafkaSpoolProducer(credentials.open("producer of the spool", open_producer, config, role="producer"))
