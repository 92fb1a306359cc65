"""The bytes and headers that do not depend on the click: how the updates of each kind are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actions.kind import ActionParameters
from schemas.codec import encode_body, single_object_frame
from schemas.link_parameters import SHARED_FIELDS
from schemas.record_schema import RecordSchema
from schemas.topics import update_topic

Header = tuple[str, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class UpdateFormat:
    """A schema of an update and the header before its bodies; `lacks` has the defaults of the fields added since."""

    frame: bytes
    suffix_schema: dict[str, Any]
    lacks: Mapping[str, Any]

    def holds(self, parameters: ActionParameters) -> bool:
        """Return whether subscribers lose nothing of the link's parameters with this schema."""
        return all(
            name in type(parameters).model_fields and getattr(parameters, name) == default
            for name, default in self.lacks.items()
        )

    def encode_suffix(self, fields: dict[str, Any]) -> bytes:
        """Encode what follows the update id."""
        for name in self.lacks:
            del fields[name]
        return encode_body(self.suffix_schema, fields)


def formats_of_updates(
    schemas: Mapping[str, RecordSchema], frames: Mapping[str, bytes]
) -> Mapping[str, list[UpdateFormat]]:
    """Return the formats of each update record; `frames` has the header bytes of each."""
    return {
        name: update_formats(schema, frames[name])
        for name, schema in schemas.items()
        if schema.is_update and name in frames
    }


def update_formats(schema: RecordSchema, frame: bytes) -> list[UpdateFormat]:
    """Return the formats to write an update in, the oldest first.

    An update that uses nothing of a later schema stays readable to subscribers from before it. In a registry's frame
    it is always the current schema: subscribers get that from the registry.
    """
    versions = [*reversed(schema.earlier), schema] if frame == single_object_frame(schema) else [schema]
    return [
        UpdateFormat(
            frame if version is schema else single_object_frame(version),
            _suffix_schema(version),
            _added_since(version, schema),
        )
        for version in versions
    ]


def oldest_format(formats: Iterable[UpdateFormat], parameters: ActionParameters) -> UpdateFormat:
    """Return the first format that holds all of these parameters; the newest holds any."""
    return next(each for each in formats if each.holds(parameters))


def cloud_event_headers(tenant_id: str, kind: str) -> tuple[Header, ...]:
    """Return the headers that are constant per tenant and kind (CloudEvents 1.0, Kafka binding, binary mode)."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", update_topic(kind).encode()),
        ("ce_source", f"/link-actions/{tenant_id}".encode()),
        ("content-type", b"application/avro"),
    )


def _added_since(earlier: RecordSchema, schema: RecordSchema) -> Mapping[str, Any]:
    known = {field["name"] for field in earlier.parameter_fields}
    return {field["name"]: field["default"] for field in schema.parameter_fields if field["name"] not in known}


def _suffix_schema(schema: RecordSchema) -> dict[str, Any]:
    """Return the update's schema without the fields spliced in front: the shared ones and `update_id`."""
    return {**schema.parsed, "fields": schema.parsed["fields"][SHARED_FIELDS + 1 :]}
