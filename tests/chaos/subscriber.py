"""A subscriber that reads during the faults, in a separate process.

    python -m tests.chaos.subscriber SERVERS PREFIX

It reads all updates as read_committed and prints a line of JSON for each violation as soon as it sees it. Told to end
(SIGTERM), it reads to the end that the topics have by then and prints how many updates it saw.
"""

import json
import signal
import sys
from collections.abc import Iterator
from threading import Event
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from consumer.verify.reader import NotReadable, decode
from consumer.verify.update_record import RECORDS, TOPICS
from tests.chaos.end_offsets import COMMITTED, Ends, ends_of
from tests.support.patience import stretched

ANSWER_SECONDS = 30.0


class Watch:
    """Checks what subscribers rely on: no update twice, and those of one recipient in the order of the clicks."""

    def __init__(self) -> None:
        self.seen = 0
        self._ids: set[str] = set()
        self._newest: dict[tuple[str, bytes | None], int] = {}

    def see(self, kind: str, key: bytes | None, value: bytes | None) -> Iterator[str]:
        """Take in the next update of its partition; yield a sentence for each thing that must not be."""
        self.seen += 1
        try:
            update = decode(RECORDS[kind], value)
        except NotReadable as error:
            yield f"an update of kind {kind} cannot be read: {error}"
            return
        if update["update_id"] in self._ids:
            yield f"update {update['update_id']} of kind {kind} came twice"
        self._ids.add(update["update_id"])
        before = self._newest.get((kind, key), 0)
        if update["clicked_at"] < before:
            yield f"update {update['update_id']} of kind {kind} came after one of a later click"
        self._newest[kind, key] = max(before, update["clicked_at"])


def main(servers: str, prefix: str) -> int:
    """Read until told to end and then to the end."""
    ended = Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    kinds = {prefix + topic: kind for kind, topic in TOPICS.items()}
    admin = AdminClient({"bootstrap.servers": servers, "log_level": 0, "reconnect.backoff.max.ms": 500})
    places = _places(admin, list(kinds))
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "alongside",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
        }
    )
    consumer.assign(places)
    _tell(reading=len(places))
    watch, positions = Watch(), {(place.topic, place.partition): 0 for place in places}
    ends: Ends | None = None
    while ends is None or any(positions[place] < end for place, end in ends.items()):
        for message in consumer.consume(1_000, 0.2):
            _take_in(message, kinds, watch, positions)
        if ends is None and ended.is_set():
            ends = ends_of(admin, positions, COMMITTED)
    consumer.close()
    _tell(finished=watch.seen)
    return 0


def _take_in(message: Message, kinds: dict[str, str], watch: Watch, positions: dict[tuple[str, int], int]) -> None:
    topic, offset, error = message.topic() or "", message.offset() or 0, message.error()
    if error is None:
        positions[topic, message.partition() or 0] = offset + 1
        for violation in watch.see(kinds[topic], message.key(), message.value()):
            _tell(violation=violation, topic=topic, partition=message.partition(), offset=offset)
    elif error.code() == KafkaError._PARTITION_EOF:
        positions[topic, message.partition() or 0] = offset


def _places(admin: AdminClient, topics: list[str]) -> list[TopicPartition]:
    found = admin.list_topics(timeout=stretched(ANSWER_SECONDS)).topics
    return [TopicPartition(topic, number, 0) for topic in topics for number in found[topic].partitions]


def _tell(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201 - this is its output


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
