"""The yardstick: what the client library itself costs when Python hands each record through in transactions.

`python -m bench.pass_through SERVERS IN OUT GROUP`: consumes in batches, produces the same bytes, and commits the
offsets in the transaction, as often as the worker does. If OUT is empty, it produces nothing. Runs until it is killed.
"""

import sys
import time

from confluent_kafka import Consumer, Message, Producer, TopicPartition

INTERVAL_SECONDS = 0.1
MAX_RECORDS = 10_000


def main(servers: str, source: str, target: str, group: str) -> None:
    """Hand records through."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "partition.assignment.strategy": "cooperative-sticky",
            "fetch.queue.backoff.ms": 50,
            "queued.max.messages.kbytes": 8_192,
            "fetch.max.bytes": 2_097_152,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "transactional.id": group,
            "linger.ms": 5,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 500_000,
            "queue.buffering.max.kbytes": 131_072,
        }
    )
    producer.init_transactions(30)
    consumer.subscribe([source])
    while True:
        started = time.monotonic()
        messages: list[Message] = []
        while len(messages) < MAX_RECORDS and (left := started + INTERVAL_SECONDS - time.monotonic()) > 0:
            messages += consumer.consume(MAX_RECORDS - len(messages), left)
        if not messages:
            continue
        offsets: dict[int, int] = {}
        producer.begin_transaction()
        produce = producer.produce
        for message in messages if target else ():
            produce(target, message.value(), message.key(), message.partition() or 0)
        for message in messages:
            offsets[message.partition() or 0] = (message.offset() or 0) + 1
        places = [TopicPartition(source, partition, offset) for partition, offset in offsets.items()]
        producer.send_offsets_to_transaction(places, consumer.consumer_group_metadata(), 30)
        producer.commit_transaction(30)


if __name__ == "__main__":
    main(*sys.argv[1:])
