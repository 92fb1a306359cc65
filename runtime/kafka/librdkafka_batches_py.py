"""Producing batches with delivery reports by `confluent_kafka`; `librdkafka_batches` is the compiled counterpart."""

import time
from collections.abc import Sequence
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from runtime.kafka.backend_ports import BatchRecord


class BatchProducer:
    """Implements `BatchProducer` with one producer."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._in_flight = 0
        self.failures: list[tuple[int, KafkaError]] = []

    def produce(self, records: Sequence[BatchRecord], start: int, end: int) -> int:
        """Queue the records of a batch from `start` up to `end`; return the index of the first one without room."""
        for index in range(start, end):
            topic, timestamp_ms, key, value = records[index]
            settle = partial(self._settle, index)
            try:
                self._producer.produce(topic, value, key, timestamp=timestamp_ms, on_delivery=settle)
            except BufferError:
                return index
            except KafkaException as error:
                self.failures.append((index, error.args[0]))
            else:
                self._in_flight += 1
        return end

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until everything queued is acknowledged or failed, and return whether it is."""
        deadline = time.monotonic() + timeout_seconds
        self._producer.poll(0)
        while self._in_flight and (left := deadline - time.monotonic()) > 0:
            self._producer.poll(left)
        return not self._in_flight

    def close(self) -> None:
        """Release what belongs to it, which is nothing; the producer stays open."""

    def _settle(self, index: int, error: KafkaError | None, _: Message) -> None:
        self._in_flight -= 1
        if error is not None:
            self.failures.append((index, error))
