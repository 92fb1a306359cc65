"""Shared code of the Python peers: records by fastavro, links from a file, updates as dictionaries."""

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from fastavro import parse_schema, schemaless_reader, schemaless_writer

NAMESPACE = UUID("6b1f9c52-6d0e-5d0b-9a3e-2f0c7c1e8a44")
SCHEMAS = Path(__file__).parents[2] / "schemas"
SHARED = (
    "tenant_id", "link_id", "recipient_id", "click_id", "clicked_at", "person_id", "company_id", "mailing_id",
    "flow_id", "flow_run_id",
)  # fmt: skip
FRAME_BYTES = 10

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """An update, ready to be sent if it is the first."""

    name: str
    """The identity of an update: the text that its id is made of."""
    click: Record
    version: Record
    action: Record

    def identifier(self) -> str:
        """Return the update's id."""
        return str(uuid5(NAMESPACE, self.name))


class Updates:
    """Turns the bytes of a click into the updates that its link asks for, and these into bytes."""

    def __init__(self, definitions: Path) -> None:
        plain = json.loads(definitions.read_text())
        self._frame = bytes.fromhex(plain["update_frame"])
        self._versions = {(link["link_id"], link["version"]): link for link in plain["links"]}
        self._click = _schema("link_clicked.avsc")
        self._update = _schema("change_interest.avsc")

    def asked_by(self, value: bytes) -> list[Update]:
        """Decode a click and return an update for each action of its link."""
        buffer = BytesIO(value)
        buffer.seek(FRAME_BYTES)
        click: Any = schemaless_reader(buffer, self._click, None)
        link = self._versions.get((click["link_id"], click["link_version"]))
        return [_asked(click, link, action) for action in link["actions"]] if link else []

    def encode(self, update: Update, identifier: str) -> bytes:
        """Return the update's bytes."""
        record = {
            **{name: update.click[name] for name in SHARED},
            **update.action,
            "update_id": identifier,
            "link_version": update.version["version"],
            "epoch": update.version["epoch"],
        }
        buffer = BytesIO()
        buffer.write(self._frame)
        schemaless_writer(buffer, self._update, record)
        return buffer.getvalue()


def headers_of(identifier: str, tenant_id: str) -> list[tuple[str, str | bytes | None]]:
    """Return the headers of a CloudEvent."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", b"crm-updates.interest.v1"),
        ("ce_source", f"/link-actions/{tenant_id}".encode()),
        ("content-type", b"application/avro"),
        ("ce_id", identifier.encode()),
    ]


def _asked(click: Record, link: Record, action: Record) -> Update:
    parts = (click["tenant_id"], click["link_id"], str(link["epoch"]), action["action_id"], click["recipient_id"], "")
    return Update("\x1f".join(parts), click, link, action)


def _schema(name: str) -> Any:
    plain = json.loads((SCHEMAS / name).read_text(), object_hook=_without_logical_type)
    return parse_schema(plain)


def _without_logical_type(part: Record) -> Record:
    """Leave times as numbers, which is cheaper than to make dates of them and back."""
    return {key: value for key, value in part.items() if key != "logicalType"}
