"""Producing a batch with `confluent_kafka` alone; `librdkafka_producer` is the compiled counterpart."""

from collections.abc import Sequence

from confluent_kafka import KafkaException, Producer

from runtime.kafka.backend_ports import SendableRecord


def produce_batch(producer: Producer, partition: int, records: Sequence[SendableRecord], start: int) -> int:
    """Produce with one call per record. Arguments are positional, because keywords cost as much as the call."""
    produce = producer.produce
    for index in range(start, len(records)):
        topic, value, key, headers = records[index]
        try:
            produce(topic, value, key, partition, None, None, 0, headers)
        except (BufferError, KafkaException):
            return index
    return len(records)
