"""Updates that ask for a run of a script, as records and as bytes."""

from collections.abc import Mapping
from typing import Any

from actions.kind import Kind
from actions.registry import load_kinds
from schemas.codec import Codec
from schemas.record_schema import RecordSchema, load_schemas
from scripts.effects.script_update import ScriptUpdate, read_script_update

SCHEMAS: Mapping[str, RecordSchema] = load_schemas()
KINDS: Mapping[str, Kind] = load_kinds(SCHEMAS)
CODEC = Codec(SCHEMAS["RunScript"])
KEY = b"acme/r-1"

Record = dict[str, Any]


def a_run_script(**changes: Any) -> Record:
    record: Record = {
        "tenant_id": "acme",
        "link_id": "spring",
        "recipient_id": "r-1",
        "click_id": "c-1",
        "clicked_at": 1_795_608_000_000,
        "person_id": "4711",
        "company_id": None,
        "mailing_id": "m-1",
        "flow_id": None,
        "flow_run_id": None,
        "update_id": "8e0f7a4c-64a6-5d43-9f3e-6a2a5a3d1f00",
        "link_version": 3,
        "epoch": 1,
        "action_id": "score",
        "script": "add-lead-score",
        "link_url": "https://example.com/spring",
        "link_hits": 7,
        "return_url_applies": False,
        "script_version": 2,
        "parameters": {"points": "5"},
    }
    return record | changes


def a_script_update(**changes: Any) -> ScriptUpdate:
    return read_script_update(CODEC.encode(a_run_script(**changes)), key=KEY, partition=3, codec=CODEC)
