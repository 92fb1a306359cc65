"""Reads topics for commands, from an offset to the current end or following new records; outside any group."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, IsolationLevel, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from runtime.config.kafka_settings import KafkaSettings
from runtime.errors import Unavailable
from runtime.kafka.admin.connection import ANSWER_SECONDS
from runtime.kafka.client import Isolation, admin_config, open_admin, open_consumer, reader_config
from runtime.kafka.errors import is_about_the_group
from runtime.kafka.offsets import TopicAndPartition, read_offsets

STALLED_SECONDS = 10.0
"""Time without records, although there are some, after which reading fails."""

POLL_SECONDS = 0.2
"""Short, because Python handles no signal while the library waits."""

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """A range of offsets of one partition, from `start` to `end` (exclusive); without an end it follows new records."""

    topic: str
    partition: int
    start: int
    end: int | None = None


class TopicReader:
    """Reads spans of partitions, in the order of arrival."""

    def __init__(self, consumer: Consumer, admin: AdminClient, isolation: Isolation) -> None:
        """`consumer` needs `enable.partition.eof`: only that event passes trailing control records."""
        self._consumer = consumer
        self._admin = admin
        self._level = IsolationLevel[isolation.name]

    def spans(self, partitions: Mapping[str, int]) -> tuple[Span, ...]:
        """Return the spans of whole topics, from the first offset to the current end. Raises Unavailable."""
        targets = [(topic, partition) for topic, count in partitions.items() for partition in range(count)]
        first = self._offsets(targets, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        end = self._offsets(targets, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return tuple(Span(*each, first[each], end[each]) for each in targets)

    def read(self, spans: Iterable[Span]) -> Iterator[Message]:
        """Yield the records of the spans. Raises Unavailable if none arrive although there are some."""
        wanted = {(span.topic, span.partition): span for span in spans if span.end is None or span.start < span.end}
        self._consumer.assign([TopicPartition(span.topic, span.partition, span.start) for span in wanted.values()])
        last_seen = time.monotonic()
        while wanted:
            # `consume` waits for a whole batch or its timeout; `poll` returns the first record. A record without a
            # value has length 0 and is falsy.
            first = self._consumer.poll(POLL_SECONDS)
            messages = [] if first is None else [first, *self._consumer.consume(BATCH, 0)]
            for message in messages:
                yield from self._accept(message, wanted)
            if messages or any(span.end is None for span in wanted.values()):
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > STALLED_SECONDS:
                topics = ", ".join(sorted({topic for topic, _ in wanted}))
                raise Unavailable(f"No more records arrive from {topics}; run link-actions doctor to see why")

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def _accept(self, message: Message, wanted: dict[TopicAndPartition, Span]) -> Iterator[Message]:
        """Yield the record if it is in a span; remove the span if it is complete."""
        source = message.topic() or "", message.partition() or 0
        offset, error, span = message.offset() or 0, message.error(), wanted.get(source)
        if error is not None and is_about_the_group(error):
            return
        if error is not None and error.name() != "_PARTITION_EOF":
            raise Unavailable(f"{source[0]} cannot be read ({error.str()}); run link-actions doctor to see why")
        if span is None:
            return
        if error is None and (span.end is None or offset < span.end):
            yield message
        following = offset + 1 if error is None else offset
        if span.end is not None and following >= span.end:
            del wanted[source]

    def _offsets(self, targets: Sequence[TopicAndPartition], spec: OffsetSpec) -> Mapping[TopicAndPartition, int]:
        try:
            return read_offsets(self._admin, targets, spec, level=self._level, answer_seconds=ANSWER_SECONDS)
        except KafkaException as error:
            reason = error.args[0].str()
            raise Unavailable(f"The offsets cannot be read ({reason}); run link-actions doctor to see why") from error


def open_reader(settings: KafkaSettings, isolation: Isolation = Isolation.READ_COMMITTED) -> TopicReader:
    """Open a reader."""
    # EOF comes with a fetch response, for which the broker waits half a second by default.
    quick = {"enable.partition.eof": True, "fetch.wait.max.ms": 50}
    consumer = open_consumer(reader_config(settings, isolation) | quick)
    return TopicReader(consumer, open_admin(admin_config(settings)), isolation)
