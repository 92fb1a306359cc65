"""An update that asks for a run of a script, and what the script sees of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.codec import Codec, frame_length
from schemas.link_parameters import SHARED_FIELDS
from schemas.walk import Walk

FIELDS = {
    "custId": "person_id",
    "linkId": "link_id",
    "shipmentId": "mailing_id",
    "linkUrl": "link_url",
    "linkHits": "link_hits",
}
"""The fields of a RunScript that a script sees as constants, by their names there."""

CLICK_FIELDS = {
    "recipientId": "recipient_id",
    "companyId": "company_id",
    "flowId": "flow_id",
    "flowRunId": "flow_run_id",
    "clickId": "click_id",
    "clickedAt": "clicked_at",
    "linkVersion": "link_version",
    "epoch": "epoch",
    "actionId": "action_id",
    "returnUrlApplies": "return_url_applies",
}
"""Those that it sees as properties of `click`; `clickedAt` is in milliseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class ScriptUpdate:
    """A decoded `RunScript`; `shared` are the bytes of its first ten fields, with which every effect begins.

    `key` and `partition` are those of its record, and of all its effects.
    """

    record: Mapping[str, Any]
    shared: bytes
    key: bytes
    partition: int


def read_script_update(value: bytes, *, key: bytes, partition: int, codec: Codec) -> ScriptUpdate:
    """Decode the value of a record; `codec` is that of `RunScript`. Raises BadRecord."""
    record = codec.decode(value)
    start = frame_length(value)
    walk = Walk(value, start)
    for field in codec.writers[value[:start]].form["fields"][:SHARED_FIELDS]:
        walk.skip(field["type"], field["name"])
    return ScriptUpdate(record, value[start : walk.position], key, partition)


def script_names(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constants that the script sees, from a decoded `RunScript`."""
    names: dict[str, Any] = {name: record[field] for name, field in FIELDS.items()}
    names["click"] = {name: record[field] for name, field in CLICK_FIELDS.items()}
    names["parameters"] = dict(record["parameters"])
    return names
