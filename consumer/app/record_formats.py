"""Record formats of a worker: schemas, and a registry if one is set, say how to read and write each topic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from actions.kind import Kind
from consumer.decision.plan import Planner
from runtime.config.kafka_settings import KafkaSettings
from runtime.config.settings import Settings
from runtime.errors import Unavailable
from runtime.ports import RetriableError
from runtime.registry.codecs import reading_codec, registered_writers, writing_frame
from runtime.registry.registry import SchemaRegistry, connect_registry
from schemas.click import ClickLayout, click_layout
from schemas.codec import Codec, single_object_frame
from schemas.record_schema import RecordSchema
from schemas.topics import TopicNames

_LOG = structlog.get_logger(__name__)

Schemas = Mapping[str, RecordSchema]
Kinds = Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class RecordFormats:
    """Topics and record formats of one worker."""

    names: TopicNames
    kinds: Kinds
    definition_codec: Codec
    planner: Planner
    hits_frame: bytes
    """The header before the body of a LinkHits."""
    read_click_layouts: Callable[[], Mapping[bytes, ClickLayout]]
    """Returns the layout of a click by the frame before its body; raises RetriableError if the registry does not
    answer, because no click can be called bad until it does."""


def load_formats(settings: Settings, schemas: Schemas, kinds: Kinds) -> RecordFormats:
    """Build the formats; asks the registry. Raises Unavailable."""
    names = topic_names(settings.kafka, kinds)
    registry = open_registry(settings)
    hits = schemas["LinkHits"]
    return RecordFormats(
        names=names,
        kinds=kinds,
        definition_codec=reading_codec(names.definitions, schemas["LinkDefined"], registry),
        planner=Planner(schemas, update_frames(names, schemas, kinds, registry), settings.topic_prefix),
        hits_frame=writing_frame(names.hits, hits, registry) or single_object_frame(hits),
        # A new client each time: one that has answered before remembers the answer.
        read_click_layouts=lambda: _click_layouts(names, schemas["LinkClicked"], open_registry(settings)),
    )


def topic_names(settings: KafkaSettings, kinds: Kinds) -> TopicNames:
    """Return the names of all topics."""
    return TopicNames(settings.topic_prefix, settings.group_id, tuple(kinds))


def open_registry(settings: Settings) -> SchemaRegistry | None:
    """Return the schema registry, None if no URL is set."""
    return connect_registry(settings.schema_registry_url) if settings.schema_registry_url else None


def update_frames(
    names: TopicNames, schemas: Schemas, kinds: Kinds, registry: SchemaRegistry | None = None
) -> Mapping[str, bytes]:
    """Return the header before the body of each update, by record name."""
    frames = {}
    for kind in kinds.values():
        schema = schemas[kind.update]
        frames[kind.update] = writing_frame(names.update(kind.name), schema, registry) or single_object_frame(schema)
    return frames


def _click_layouts(
    names: TopicNames, schema: RecordSchema, registry: SchemaRegistry | None
) -> Mapping[bytes, ClickLayout]:
    layouts = {single_object_frame(each): click_layout(each) for each in (schema, *schema.earlier)}
    try:
        registered = list(registered_writers(names.clicks, registry))
    except Unavailable as error:
        raise RetriableError(str(error)) from error
    for frame, writer in registered:
        try:
            layouts[frame] = click_layout(writer)
        except ValueError as error:
            _LOG.warning("schema.refused", topic=names.clicks, reason=str(error))
    return layouts
