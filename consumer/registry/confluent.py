"""The client of a schema registry; loaded where there is one, by `consumer.registry.registry`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from httpx2 import HTTPError

from consumer.errors import Unavailable
from consumer.registry.registry import Json
from schemas.canonical_form import canonical_form

ANSWER_SECONDS = 4.0


class ConfluentSchemaRegistry:
    """Speaks the REST API of Confluent's registry, which others serve too."""

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
        """Look the schema up before registering it: in a registry that is read-only to us, only that is allowed.

        A registry looks up text, attributes and docs included, so the versions of the subject are compared as well.
        """
        schema = Schema(json.dumps(definition), "AVRO")
        with _translated(f"the schema of {subject} cannot be registered"):
            try:
                found = self._client.lookup_schema(subject, schema).schema_id
            except SchemaRegistryError as error:
                if error.http_status_code != HTTPStatus.NOT_FOUND:
                    raise
                found = self._id_of_the_same(subject, definition)
            return self._client.register_schema(subject, schema) if found is None else found

    def _id_of_the_same(self, subject: str, definition: Json) -> int | None:
        """Return the id of a version that says the same of the bytes; None if there is none."""
        wanted = canonical_form(definition)
        registered = self.definitions_of(subject).items()
        return next((identifier for identifier, each in registered if _form_or_none(each) == wanted), None)

    def definitions_of(self, subject: str) -> Mapping[int, Json]:
        """Ask for each version; what is no Avro schema is left out."""
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
        """Return the definition; of one that refers to other subjects, the form that holds what it refers to."""
        definition: Json = json.loads(schema.schema_str or "null")
        elsewhere = self._elsewhere(schema)
        return (_form_or_none(definition, elsewhere) if elsewhere else None) or definition

    def _elsewhere(self, schema: Schema) -> dict[str, Json]:
        """Return what the schema refers to in other subjects, and what that refers to, by name."""
        found: dict[str, Json] = {}
        for reference in schema.references or ():
            referred = self._client.get_version(reference.subject or "", reference.version or "latest").schema
            found |= {reference.name or "": json.loads(referred.schema_str or "null"), **self._elsewhere(referred)}
        return found

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def _form_or_none(definition: Json, elsewhere: Mapping[str, Json] = MappingProxyType({})) -> Json | None:
    try:
        form: Json = canonical_form(definition, elsewhere)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return form


@contextmanager
def _translated(problem: str) -> Iterator[None]:
    """Translate what the client raises; ValueError is what it makes of an answer that is no JSON.

    The address is not repeated, since it may hold a password.
    """
    try:
        yield
    except (SchemaRegistryError, HTTPError, ValueError) as error:
        reason = error.error_message if isinstance(error, SchemaRegistryError) else str(error) or type(error).__name__
        mend = "start the registry, or mend LINK_ACTIONS_SCHEMA_REGISTRY_URL"
        raise Unavailable(f"The schema registry does not answer as it should: {problem} ({reason}); {mend}") from error
