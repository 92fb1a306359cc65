"""The dead letter topic of an installation, open for reading."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace

from consumer.inspect.dead_letters import DeadLetter, dead_letter, parse_place, replay_noted_by
from consumer.inspect.record_view import view_record
from consumer.maintenance.replay import DeadLetterIndex, index_dead_letters
from runtime.config.settings import Settings
from runtime.errors import UsageError
from runtime.kafka.admin.acls import Role, acls_of
from runtime.kafka.admin.permission import require_acls
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, require_topics
from runtime.kafka.admin.topic_reader import Span, TopicReader, open_reader
from runtime.registry.codecs import reading_codec
from runtime.registry.registry import SchemaRegistry
from schemas.click import ClickLayout, click_layout
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames


@dataclass(frozen=True, slots=True)
class DeadLetterTopic:
    """Reads dead letters by scan or by place."""

    settings: Settings
    names: TopicNames
    reader: TopicReader
    partitions: int
    """Partition count of the clicks topic; the dead letter topic has the same."""
    codec: Codec
    """Decodes clicks."""

    def index(self) -> DeadLetterIndex:
        """Read the topic to its current end."""
        return index_dead_letters(map(view_record, self.reader.read(self._spans())))

    def at(self, place: str) -> DeadLetter:
        """Return the dead letter at this place. Raises UsageError if there is none."""
        partition, offset = parse_named_place(place)
        for span in self._spans():
            if span.partition == partition and span.end is not None and span.start <= offset < span.end:
                for record in map(view_record, self.reader.read([replace(span, start=offset, end=offset + 1)])):
                    if replay_noted_by(record) is None:
                        return dead_letter(record)
        raise no_dead_letter_at([place])

    def read(self, places: Collection[str]) -> Iterator[DeadLetter]:
        """Yield the dead letters at these places with their bytes; reads from the first to the last of a partition."""
        offsets: dict[int, list[int]] = {}
        for partition, offset in map(parse_place, places):
            offsets.setdefault(partition, []).append(offset)
        topic = self.names.dead_letters
        spans = [Span(topic, partition, min(found), max(found) + 1) for partition, found in offsets.items()]
        letters = (dead_letter(view_record(message)) for message in self.reader.read(spans))
        return (letter for letter in letters if letter.record.place in places)

    def layouts(self) -> Mapping[bytes, ClickLayout]:
        """Return the layout of each click schema by its header; other schemas are skipped."""
        layouts = {}
        for frame, writer in self.codec.writers.items():
            with suppress(ValueError):
                layouts[frame] = click_layout(writer)
        return layouts

    def _spans(self) -> Sequence[Span]:
        return self.reader.spans({self.names.dead_letters: self.partitions})


@contextmanager
def open_dead_letters(
    settings: Settings, names: TopicNames, registry: SchemaRegistry | None
) -> Iterator[DeadLetterTopic]:
    """Open the dead letters of this installation. Raises Unavailable if the topic is missing."""
    require_acls(settings.kafka, acls_of(Role.OPERATOR, settings.kafka, names))
    states = require_topics(KafkaTopicAdmin(settings.kafka), [names.clicks, names.dead_letters])
    codec = reading_codec(names.clicks, load_schemas()["LinkClicked"], registry)
    with closing(open_reader(settings.kafka)) as reader:
        yield DeadLetterTopic(settings, names, reader, states[names.clicks].partitions, codec)


def no_dead_letter_at(places: Iterable[str]) -> UsageError:
    """Return the error for places without a dead letter."""
    return UsageError(f"There is no dead letter at {', '.join(places)}; link-actions dlq list shows all")


def parse_named_place(text: str) -> tuple[int, int]:
    """Return partition and offset of a command-line argument. Raises UsageError."""
    try:
        return parse_place(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
