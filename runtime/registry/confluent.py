"""The client of a schema registry; `runtime.registry.registry` imports it if one is configured."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from httpx2 import HTTPError

from runtime.errors import Unavailable
from runtime.registry.registry import Json
from schemas.canonical_form import canonical_form

ANSWER_SECONDS = 4.0


class ConfluentSchemaRegistry:
    """Uses the REST API of Confluent's registry, which other registries provide too."""

    def __init__(self, url: str) -> None:
        self._client = SchemaRegistryClient(
            {
                "url": url,
                "timeout": ANSWER_SECONDS,
                "max.retries": 1,
                "retries.wait.ms": 100,
                "retries.max.wait.ms": 200,
            }
        )

    def id_of(self, subject: str, definition: Json) -> int:
        """Look the schema up before registering it, because a registry may be read-only for us.

        A registry compares the text, including attributes and docs, so the subject's versions are compared as well.
        """
        schema = Schema(json.dumps(definition), "AVRO")
        with _translated(f"the schema of {subject} cannot be registered"):
            try:
                found = self._client.lookup_schema(subject, schema).schema_id
            except SchemaRegistryError as error:
                if error.http_status_code != HTTPStatus.NOT_FOUND:
                    raise
                found = self._id_of_equivalent(subject, definition)
            return self._client.register_schema(subject, schema) if found is None else found

    def _id_of_equivalent(self, subject: str, definition: Json) -> int | None:
        """Return the id of a version with the same canonical form; None if there is none."""
        wanted = canonical_form(definition)
        registered = self.definitions_of(subject).items()
        return next((identifier for identifier, each in registered if _form_or_none(each) == wanted), None)

    def definitions_of(self, subject: str) -> Mapping[int, Json]:
        """Request each version; skip what is not an Avro schema."""
        with _translated(f"the schemas of {subject} cannot be read"):
            try:
                versions = self._client.get_versions(subject)
            except SchemaRegistryError as error:
                if error.http_status_code == HTTPStatus.NOT_FOUND:
                    return {}
                raise
            registered = [self._client.get_version(subject, version) for version in versions]
            return {
                each.schema_id: self._whole(each.schema)
                for each in registered
                if each.schema_id is not None and each.schema.schema_str and each.schema.schema_type in (None, "AVRO")
            }

    def _whole(self, schema: Schema) -> Json:
        """Return the definition, with its references to other subjects resolved."""
        definition: Json = json.loads(schema.schema_str or "null")
        references = self._references(schema)
        return (_form_or_none(definition, references) if references else None) or definition

    def _references(self, schema: Schema) -> dict[str, Json]:
        """Return the definitions that the schema refers to, also indirectly, by name."""
        found: dict[str, Json] = {}
        for reference in schema.references or ():
            referred = self._client.get_version(reference.subject or "", reference.version or "latest").schema
            found |= {reference.name or "": json.loads(referred.schema_str or "null"), **self._references(referred)}
        return found

    def close(self) -> None:
        """Close connections."""
        self._client.close()


def _form_or_none(definition: Json, references: Mapping[str, Json] = MappingProxyType({})) -> Json | None:
    try:
        form: Json = canonical_form(definition, references)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return form


@contextmanager
def _translated(problem: str) -> Iterator[None]:
    """Translate the client's exceptions; it raises ValueError for an answer that is not JSON.

    The message leaves out the URL, which may contain a password.
    """
    try:
        yield
    except (SchemaRegistryError, HTTPError, ValueError) as error:
        reason = error.error_message if isinstance(error, SchemaRegistryError) else str(error) or type(error).__name__
        advice = "start the registry, or fix LINK_ACTIONS_SCHEMA_REGISTRY_URL"
        raise Unavailable(f"The schema registry failed: {problem} ({reason}); {advice}") from error
