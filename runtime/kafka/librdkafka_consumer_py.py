"""Fetching clicks with `confluent_kafka` alone; `librdkafka_consumer` is the compiled counterpart."""

from confluent_kafka import Consumer

from runtime.kafka.backend_ports import Fetch


class ClickFetcher:
    """Fetches from one consumer, with a Python object per record. Implements `Fetcher`."""

    def __init__(self, consumer: Consumer, topic: str) -> None:  # noqa: ARG002 - the compiled counterpart needs it
        self._consumer = consumer

    def attach(self, partition: int) -> None:
        """Do nothing: `consume` returns the records of every partition."""

    def fetch(self, limit: int, timeout_seconds: float) -> Fetch:
        """Return what `consume` returns, with records and errors apart."""
        messages = self._consumer.consume(limit, timeout_seconds)
        records = [message for message in messages if message.error() is None]
        if len(records) == len(messages):
            return records, ()
        errors = ((message, message.error()) for message in messages)
        return records, [(m.partition() or 0, m.offset() or 0, error) for m, error in errors if error is not None]

    def close(self) -> None:
        """Do nothing: the consumer is the caller's."""
