from collections.abc import Sequence

from confluent_kafka import Producer

from runtime.kafka.backend_ports import SendableRecord

def produce_batch(producer: Producer, partition: int, records: Sequence[SendableRecord], start: int) -> int: ...
