"""One version of a script, as a value and as a record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from runtime.errors import UsageError

MEMORY_BYTES = 16 << 20
"""Limit of the memory of one run."""


@dataclass(frozen=True, slots=True, order=True)
class ScriptReference:
    """Tenant and script, written `tenant/script_id`."""

    tenant_id: str
    script_id: str

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.script_id}"


def parse_reference(text: str) -> ScriptReference:
    """Read `tenant/script_id`. Raises UsageError."""
    tenant_id, slash, script_id = text.partition("/")
    if not (tenant_id and slash and script_id):
        raise UsageError(f"{text!r} is not a script; write tenant/script_id, for example acme/add-lead-score")
    return ScriptReference(tenant_id, script_id)


@dataclass(frozen=True, slots=True)
class Example:
    """A click and what the script makes of it; `click` and each effect are JSON objects as text."""

    click: str
    parameters: Mapping[str, str]
    effects: tuple[str, ...]
    return_url: str | None


@dataclass(frozen=True, slots=True)
class Script:
    """One version; `fuel` and `memory` (bytes) limit a run, `defined_at` is in milliseconds since 1970 UTC."""

    tenant_id: str
    script_id: str
    version: int
    source: str
    sha256: str
    engine: str
    emits: tuple[str, ...]
    hosts: tuple[str, ...]
    fuel: int
    memory: int
    examples: tuple[Example, ...]
    defined_at: int
    defined_by: str

    @property
    def reference(self) -> ScriptReference:
        """Tenant and script."""
        return ScriptReference(self.tenant_id, self.script_id)

    def same_as(self, other: "Script") -> bool:
        """Return whether both say the same; version, time and author do not matter."""
        return self == replace(other, version=self.version, defined_at=self.defined_at, defined_by=self.defined_by)


def script_from_record(record: Mapping[str, Any]) -> Script:
    """Read a decoded `ScriptDefined`."""
    lists = {name: tuple(record[name]) for name in ("emits", "hosts")}
    examples = tuple(_example(each) for each in record["examples"])
    return Script(**{**record, **lists, "examples": examples})


def record_from_script(script: Script) -> dict[str, Any]:
    """Return the script as a `ScriptDefined`, ready for the codec."""
    record = {name: getattr(script, name) for name in script.__slots__}
    lists = {name: list(record[name]) for name in ("emits", "hosts")}
    return {**record, **lists, "examples": [_example_record(each) for each in script.examples]}


def _example(record: Mapping[str, Any]) -> Example:
    return Example(record["click"], record["parameters"], tuple(record["effects"]), record["return_url"])


def _example_record(example: Example) -> dict[str, Any]:
    return {
        "click": example.click,
        "parameters": dict(example.parameters),
        "effects": list(example.effects),
        "return_url": example.return_url,
    }
