"""The port of a schema registry: ids to write with, schemas to read with."""

import importlib
from collections.abc import Mapping
from typing import Any, Protocol

Json = dict[str, Any]


class SchemaRegistry(Protocol):
    """Schemas by subject. Methods raise Unavailable if the registry does not answer or refuses."""

    def id_of(self, subject: str, definition: Json) -> int:
        """Return the id of this schema in the subject; register it if it is missing."""

    def definitions_of(self, subject: str) -> Mapping[int, Json]:
        """Return every version of the subject by id; none if the subject does not exist."""

    def close(self) -> None:
        """Close connections."""


def connect_registry(url: str) -> SchemaRegistry:
    """Return a client of the registry at this URL.

    It is imported late: its HTTP client is a sixth of a worker's imports and 6 MiB, unused without a registry.
    """
    module = importlib.import_module("runtime.registry.confluent")
    client: SchemaRegistry = module.ConfluentSchemaRegistry(url)
    return client
