"""The usual loop: poll, decode, SET NX in Redis, produce; offsets now and then, after the records were delivered.

`python -m bench.peers.redis_loop SERVERS CLICKS UPDATES GROUP DEFINITIONS REDIS_PORT`. Runs until it is ended. It loses
updates: a crash between SET NX and the delivery leaves a mark of what never went out.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Producer
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.retry import Retry

from bench.peers.update import Updates, headers_of

COMMIT_SECONDS = 0.1


def main(arguments: Sequence[str]) -> None:
    """Run the loop."""
    servers, clicks, updates, group, definitions, port = arguments
    made = Updates(Path(definitions))
    marks = Redis(port=int(port), retry=Retry(ConstantBackoff(0.1), 100), retry_on_error=[NotConnected])
    marks.ping()
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    )
    producer = Producer(
        {"bootstrap.servers": servers, "partitioner": "murmur2_random", "linger.ms": 5, "compression.type": "lz4"}
    )
    consumer.subscribe([clicks])
    committed, handled = time.monotonic(), 0
    while True:
        message = consumer.poll(COMMIT_SECONDS)
        if message is not None:
            if message.error():
                raise KafkaException(message.error())
            for update in made.asked_by(message.value() or b""):
                if marks.set(update.name, 1, nx=True):
                    identifier = update.identifier()
                    headers = headers_of(identifier, update.click["tenant_id"])
                    producer.produce(updates, made.encode(update, identifier), message.key(), headers=headers)
            producer.poll(0)
            handled += 1
        if handled and time.monotonic() - committed > COMMIT_SECONDS:
            producer.flush()
            consumer.commit(asynchronous=False)
            committed, handled = time.monotonic(), 0


if __name__ == "__main__":
    main(sys.argv[1:])
