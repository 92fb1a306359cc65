"""The schema registry, for installations that have one: ids for what we write, schemas for what we read."""

import importlib
from collections.abc import Mapping
from typing import Any, Protocol

Json = dict[str, Any]


class SchemaRegistry(Protocol):
    """Knows schemas by subject. All methods raise Unavailable where the registry does not answer or refuses."""

    def id_of(self, subject: str, definition: Json) -> int:
        """Return the id under which the subject has this schema; one that it has not is registered first."""

    def definitions_of(self, subject: str) -> Mapping[int, Json]:
        """Return every version of the subject by id; none where there is no such subject."""

    def close(self) -> None:
        """Let go of connections."""


def connect_registry(url: str) -> SchemaRegistry:
    """Return the client of the registry at this address.

    It is loaded only now: a sixth of a worker's imports and 6 MiB, for HTTP and the signing of requests, which
    one without a registry need not have.
    """
    module = importlib.import_module("consumer.registry.confluent")
    client: SchemaRegistry = module.ConfluentSchemaRegistry(url)
    return client
