"""Keys and values of clicks and links, made with plain fastavro from the schema files."""

import json
import uuid
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

import schemas
from consumer.verify.definition_schemas import definition_schemas
from tests.builders import Record, a_click
from tests.support.planted import MARK

MINUTE = 60_000

_FOLDER = Path(schemas.__file__).parent
_ALL_KINDS = "link_defined with all kinds"


def click_by(recipient: str, link: str = "spring", **fields: Any) -> Record:
    """Return a click of this recipient on version 1 of a link, with an id that no other click has."""
    usual = {"click_id": str(uuid.uuid4()), "person_id": f"{MARK} person of {recipient}", "link_version": 1}
    return a_click(recipient_id=recipient, link_id=link, **{**usual, **fields})


def click_key(click: Record) -> bytes:
    """Return the record key of a click."""
    return f"{click['tenant_id']}/{click['recipient_id']}".encode()


def link_key(link: Record) -> bytes:
    """Return the record key of a version of a link."""
    return f"{link['tenant_id']}/{link['link_id']}/{link['version']}".encode()


def encode_click(click: Record) -> bytes:
    """Return the value of a click."""
    return _encode("link_clicked", click)


def encode_link(link: Record) -> bytes:
    """Return the value of a version of a link; one with a kind that was added later is of the schema with all kinds."""
    try:
        return _encode("link_defined", link)
    except ValueError:
        return _encode(_ALL_KINDS, link)


def _encode(schema: str, record: Record) -> bytes:
    """Encode in Avro single-object encoding; `schema` names the file."""
    frame, parsed = _schema(schema)
    buffer = BytesIO()
    schemaless_writer(buffer, parsed, record)
    return frame + buffer.getvalue()


@cache
def _schema(name: str) -> tuple[bytes, Any]:
    if name == _ALL_KINDS:
        files = {path.stem: _definition(path) for path in _FOLDER.glob("*.avsc")}
        definition = next(definition_schemas(files))
    else:
        definition = _definition(_FOLDER / f"{name}.avsc")
    digest = fingerprint(to_parsing_canonical_form(definition), "CRC-64-AVRO")
    return b"\xc3\x01" + bytes.fromhex(digest), parse_schema(definition)


def _definition(path: Path) -> Any:
    """Read a schema without logical types: then times are numbers, as on the wire; the canonical form is the same."""
    return json.loads(path.read_text(), object_hook=lambda part: {k: part[k] for k in part if k != "logicalType"})
