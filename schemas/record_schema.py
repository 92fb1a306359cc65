"""The records of the wire: one `.avsc` file each, parsed once, known by name and by fingerprint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from fastavro import parse_schema
from fastavro.schema import SchemaParseException, fingerprint

from schemas.canonical_form import canonical_form, canonical_text, form_with_defaults, spelt_out
from schemas.link_parameters import SHARED_FIELDS, UPDATE_FIELDS, extended_definitions, is_update
from schemas.safety import UnsafeSchema, check_safe

NAMESPACE = "link_actions"
FOLDER = Path(__file__).parent

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class RecordSchema:
    """One record type. `parsed` reads times as integers: milliseconds since 1970 UTC, never `datetime`."""

    name: str
    definition: Json
    form: Json
    """The canonical form, with each name replaced by its definition."""
    parsed: Json
    fingerprint: bytes
    """CRC-64-AVRO of the parsing canonical form, 8 bytes little-endian, as single-object encoding has it."""
    earlier: tuple["RecordSchema", ...] = ()
    """Earlier schemas of the record, the newest first: readers need them to decode bodies written with them."""

    @property
    def is_update(self) -> bool:
        """True if the record is an update, which makes subscribers change the CRM."""
        return is_update(self.definition)

    @property
    def parameter_fields(self) -> list[Json]:
        """The fields of an update that belong to its kind."""
        fields: list[Json] = self.definition["fields"]
        return fields[SHARED_FIELDS + len(UPDATE_FIELDS) :]


def record_schema(definition: Json) -> RecordSchema:
    """Parse and check one schema.

    Raises UnsafeSchema if the schema could make a decoder crash or hang, or is not that of a complete record.
    """
    try:
        check_safe(definition)
        form = canonical_form(definition)
        if form["type"] != "record":
            raise UnsafeSchema("no record")
        parsed = cast("Json", parse_schema(form_with_defaults(definition)))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, SchemaParseException) as error:
        raise UnsafeSchema(f"cannot be parsed ({type(error).__name__}: {error})") from error
    digest = fingerprint(canonical_text(definition), "CRC-64-AVRO")
    return RecordSchema(definition["name"], definition, spelt_out(form), parsed, bytes.fromhex(digest))


def writer_schema(definition: Json) -> RecordSchema:
    """Parse a schema that another program wrote with; only what decoding needs is kept. Raises UnsafeSchema.

    Its defaults are left out: only a reader's schema needs them, and fastavro refuses some that Java accepts.
    """
    try:
        form = canonical_form(definition)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnsafeSchema(f"cannot be parsed ({type(error).__name__}: {error})") from error
    return record_schema(form)


def load_schemas(folder: Path = FOLDER) -> Mapping[str, RecordSchema]:
    """Read every `.avsc` of the folder, by record name, and its earlier versions, which are numbered from 1 on in
    `earlier/<its name>/`.

    Kinds whose update record `link_defined.avsc` does not name yet are added to its union of parameters, so
    that a new kind needs no edit there.
    """
    definitions = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.avsc"))}
    updates = [definition for definition in definitions.values() if is_update(definition)]
    schemas = {}
    for stem, definition in definitions.items():
        if _snake_case(definition["name"]) != stem:
            raise ValueError(f"{stem}.avsc holds the record {definition['name']}; name the file after the record")
        versions = [definition, *_earlier(folder / "earlier" / stem)]
        if stem == "link_defined":
            versions = [each for version in versions for each in extended_definitions(version, updates)]
        newest, *earlier = map(record_schema, versions)
        schemas[definition["name"]] = replace(newest, earlier=tuple(earlier))
    return schemas


def _earlier(folder: Path) -> list[Json]:
    """Return the earlier versions of a record, the newest first."""
    numbered = sorted(folder.glob("*.avsc"), key=lambda path: int(path.stem), reverse=True)
    return [json.loads(path.read_text()) for path in numbered]


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
