"""The JSON Schema of link files, for editors: built from the models, with the descriptions of the Avro schemas."""

from collections.abc import Mapping
from typing import Any

from actions.kind import Kind
from consumer.links.link_model import LinkFileModel
from schemas.record_schema import RecordSchema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def editor_schema(
    model: LinkFileModel, kinds: Mapping[str, Kind], schemas: Mapping[str, RecordSchema]
) -> dict[str, Any]:
    """Return the schema; each kind and parameter has the description of the update's Avro schema."""
    schema = model.file.model_json_schema()
    for name, kind in kinds.items():
        update = schemas[kind.update]
        described = schema["$defs"][name]
        described["description"] = update.definition["doc"]
        described["properties"]["repeat"]["default"] = "once"
        for field in update.parameter_fields:
            if field["name"] in described["properties"] and "doc" in field:
                described["properties"][field["name"]]["description"] = field["doc"]
    for definition in (schema, *schema["$defs"].values()):
        _drop_titles(definition)
    return {"$schema": DIALECT, "title": "Link file", **schema}


def _drop_titles(definition: dict[str, Any]) -> None:
    """Remove the titles that pydantic generates; an editor would show them next to the names."""
    definition.pop("title", None)
    for value in definition.get("properties", {}).values():
        value.pop("title", None)
