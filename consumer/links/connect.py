"""Connects a link publisher to the broker and schema registry of an installation."""

from functools import partial

from actions.registry import load_kinds
from consumer.links.link_publisher import LinkPublisher
from runtime.authoring.definition_topic import open_definition_topic
from runtime.clock import Clock
from runtime.config.settings import Settings
from runtime.registry.codecs import reading_codec, writing_and_reading_codec
from runtime.registry.registry import connect_registry
from schemas.record_schema import load_schemas
from schemas.topics import LINK_DEFINITIONS


def connect_publisher(settings: Settings, *, defined_by: str, clock: Clock) -> LinkPublisher:
    """Return a publisher for this author. Raises Unavailable if the registry does not answer."""
    schemas = load_schemas()
    registry = connect_registry(settings.schema_registry_url) if settings.schema_registry_url else None
    topic, schema = settings.topic_prefix + LINK_DEFINITIONS, schemas["LinkDefined"]
    return LinkPublisher(
        partial(open_definition_topic, settings, clock),
        kinds=load_kinds(schemas),
        codec=reading_codec(topic, schema, registry),
        open_writing_codec=partial(writing_and_reading_codec, topic, schema, registry),
        clock=clock,
        defined_by=defined_by,
    )
