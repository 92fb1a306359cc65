"""Settings, topic names and registry of a command."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from actions.registry import load_kinds
from runtime.config.environment import hidden_settings, load_settings
from runtime.config.service_links import ADVICE
from runtime.config.settings import Settings
from runtime.monitoring.logs import configure_logs
from runtime.registry.registry import SchemaRegistry, connect_registry
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

_LOG = structlog.get_logger(__name__)


def command_settings() -> Settings:
    """Load the settings from the environment and configure logging. Raises WrongSettings.

    Messages of the Kafka library are shown at level debug only: the command reports errors itself.
    """
    settings = load_settings(os.environ)
    configure_logs(settings.log_level, settings.log_format, client_library=None)
    return settings


def warn_of_hidden_settings(environ: Mapping[str, str], kind: type[Settings]) -> None:
    """Log each setting of a program that does not apply because Kubernetes has set its variable for a Service."""
    for name in hidden_settings(environ, kind):
        _LOG.warning("setting.hidden", setting=name, detail=f"Kubernetes set it for a Service; {ADVICE}")


def topic_names(settings: Settings) -> TopicNames:
    """Return the topic names of this installation, with an updates topic for each kind of action."""
    return TopicNames(settings.topic_prefix, settings.group_id, tuple(sorted(load_kinds(load_schemas()))))


@contextmanager
def open_registry(settings: Settings) -> Iterator[SchemaRegistry | None]:
    """Yield the schema registry, or None if the installation has none."""
    if settings.schema_registry_url is None:
        yield None
        return
    registry = connect_registry(settings.schema_registry_url)
    try:
        yield registry
    finally:
        registry.close()
