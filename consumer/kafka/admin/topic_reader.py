"""Reading topics for a person: from a place to the end that is there now, or on and on. Never a member of a group."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, IsolationLevel, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumer.config.kafka_settings import KafkaSettings
from consumer.errors import Unavailable
from consumer.kafka.admin.connection import ANSWER_SECONDS
from consumer.kafka.client import Isolation, admin_config, open_admin, open_consumer, reader_config
from consumer.kafka.errors import is_about_the_group
from consumer.kafka.offsets import Place, read_offsets

STALLED_SECONDS = 10.0
"""How long nothing may come while there is something to read."""

POLL_SECONDS = 0.2
"""Short, since the library hears no signal while it waits."""

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one partition: from the offset `start` up to and without `end`; without an end it goes on."""

    topic: str
    partition: int
    start: int
    end: int | None = None


class TopicReader:
    """Reads spans of partitions, in the order in which they come."""

    def __init__(self, consumer: Consumer, admin: AdminClient, isolation: Isolation) -> None:
        """`consumer` must have `enable.partition.eof` on: only that event steps over what a transaction leaves."""
        self._consumer = consumer
        self._admin = admin
        self._level = IsolationLevel[isolation.name]

    def spans(self, partitions: Mapping[str, int]) -> tuple[Span, ...]:
        """Return all of each topic as it is now, from its first record to its end. Raises Unavailable."""
        places = [(topic, partition) for topic, count in partitions.items() for partition in range(count)]
        first = self._offsets(places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        end = self._offsets(places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return tuple(Span(*place, first[place], end[place]) for place in places)

    def read(self, spans: Iterable[Span]) -> Iterator[Message]:
        """Yield the records of the spans. Raises Unavailable where nothing comes though there is something."""
        wanted = {(span.topic, span.partition): span for span in spans if span.end is None or span.start < span.end}
        self._consumer.assign([TopicPartition(span.topic, span.partition, span.start) for span in wanted.values()])
        heard = time.monotonic()
        while wanted:
            # `consume` waits for a whole batch or its time-out; `poll` returns with the first record. One without a
            # value has length 0 and so is no truth.
            first = self._consumer.poll(POLL_SECONDS)
            messages = [] if first is None else [first, *self._consumer.consume(BATCH, 0)]
            for message in messages:
                yield from self._accept(message, wanted)
            if messages or any(span.end is None for span in wanted.values()):
                heard = time.monotonic()
            elif time.monotonic() - heard > STALLED_SECONDS:
                topics = ", ".join(sorted({topic for topic, _ in wanted}))
                raise Unavailable(f"Nothing comes from {topics} any more; run link-actions doctor to see why")

    def close(self) -> None:
        """Let go of connections."""
        self._consumer.close()

    def _accept(self, message: Message, wanted: dict[Place, Span]) -> Iterator[Message]:
        """Yield the record if it lies in a span, and strike out the span that it ends."""
        place = message.topic() or "", message.partition() or 0
        offset, error, span = message.offset() or 0, message.error(), wanted.get(place)
        if error is not None and is_about_the_group(error):
            return
        if error is not None and error.name() != "_PARTITION_EOF":
            raise Unavailable(f"{place[0]} cannot be read ({error.str()}); run link-actions doctor to see why")
        if span is None:
            return
        if error is None and (span.end is None or offset < span.end):
            yield message
        following = offset + 1 if error is None else offset
        if span.end is not None and following >= span.end:
            del wanted[place]

    def _offsets(self, places: Sequence[Place], spec: OffsetSpec) -> Mapping[Place, int]:
        try:
            return read_offsets(self._admin, places, spec, level=self._level, answer_seconds=ANSWER_SECONDS)
        except KafkaException as error:
            reason = error.args[0].str()
            raise Unavailable(f"The offsets cannot be asked for ({reason}); run link-actions doctor") from error


def open_reader(settings: KafkaSettings, isolation: Isolation = Isolation.READ_COMMITTED) -> TopicReader:
    """Open a reader at the brokers of the settings."""
    # The end of a partition is told with an answer of the broker, which by default waits half a second for more.
    quick = {"enable.partition.eof": True, "fetch.wait.max.ms": 50}
    consumer = open_consumer(reader_config(settings, isolation) | quick)
    return TopicReader(consumer, open_admin(admin_config(settings)), isolation)
