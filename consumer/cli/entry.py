"""What every command begins with: the settings of the environment, and quiet logs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from actions.registry import load_kinds
from consumer.config.environment import load_settings
from consumer.config.settings import Settings
from consumer.monitoring.logs import configure_logs
from consumer.registry.registry import SchemaRegistry, connect_registry
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames


def command_settings() -> Settings:
    """Return the settings of the environment, and log as they say; raises WrongSettings.

    What the Kafka library has to say is shown at log level debug only: the command itself tells what went wrong.
    """
    settings = load_settings(os.environ)
    configure_logs(settings.log_level, settings.log_format, client_library=None)
    return settings


def topic_names(settings: Settings) -> TopicNames:
    """Return the names of this installation's topics, with one for each kind of action there is."""
    return TopicNames(settings.topic_prefix, settings.group_id, tuple(sorted(load_kinds(load_schemas()))))


@contextmanager
def open_registry(settings: Settings) -> Iterator[SchemaRegistry | None]:
    """Give the schema registry, None where the installation has none."""
    if settings.schema_registry_url is None:
        yield None
        return
    registry = connect_registry(settings.schema_registry_url)
    try:
        yield registry
    finally:
        registry.close()
