"""Scripts with sensible values."""

import hashlib
from dataclasses import replace
from typing import Any

from schemas.codec import Codec
from schemas.record_schema import load_schemas
from scripts.definitions.script import MEMORY_BYTES, Example, Script
from scripts.sandbox.run import ENGINE

CODEC = Codec(load_schemas()["ScriptDefined"])
SOURCE = 'emit({kind: "add_to_field", field: "lead_score", amount: "5"});\n'


def a_script(**changes: Any) -> Script:
    script = Script(
        tenant_id="acme",
        script_id="score",
        version=1,
        source=SOURCE,
        sha256=hashlib.sha256(SOURCE.encode()).hexdigest(),
        engine=ENGINE,
        emits=("add_to_field",),
        hosts=("shop.example.com",),
        fuel=100_000_000,
        memory=MEMORY_BYTES,
        examples=(Example('{"linkHits":3}', {"points": "5"}, ('{"kind":"x"}',), None),),
        defined_at=1_795_608_000_000,
        defined_by="anna",
    )
    return replace(script, **changes)
