"""Connects a script publisher to the broker and schema registry of an installation."""

from functools import partial

from runtime.authoring.definition_topic import open_definition_topic
from runtime.clock import Clock
from runtime.config.settings import Settings
from runtime.registry.codecs import reading_codec, writing_and_reading_codec
from runtime.registry.registry import connect_registry
from schemas.record_schema import load_schemas
from schemas.topics import SCRIPT_DEFINITIONS
from scripts.definitions.script_publisher import ScriptPublisher


def connect_script_publisher(settings: Settings, *, clock: Clock) -> ScriptPublisher:
    """Return a publisher. Raises Unavailable if the registry does not answer."""
    registry = connect_registry(settings.schema_registry_url) if settings.schema_registry_url else None
    topic, schema = settings.topic_prefix + SCRIPT_DEFINITIONS, load_schemas()["ScriptDefined"]
    return ScriptPublisher(
        partial(open_definition_topic, settings, clock, SCRIPT_DEFINITIONS),
        codec=reading_codec(topic, schema, registry),
        open_writing_codec=partial(writing_and_reading_codec, topic, schema, registry),
        clock=clock,
    )
