"""Checked scripts of script files, with their locations; the version is assigned at publishing."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.authoring.diagnostic import SourceLocation
from scripts.definitions.script import MEMORY_BYTES, Example, Script, ScriptReference
from scripts.effects.effect import Effect, effects_as_written
from scripts.sandbox.run import ENGINE

NOT_PUBLISHED = 0
"""Number of a version that has none yet."""


@dataclass(frozen=True, slots=True)
class DesiredExample:
    """An example: the click as the fields of a `RunScript`, and the effects as the script must emit them.

    `click_names` has what the author wrote of the click, by the names that a script uses. `return_url` is None if the
    script must leave it as it is.
    """

    click: Mapping[str, Any]
    click_names: Mapping[str, Any]
    parameters: Mapping[str, str]
    effects: tuple[Effect, ...]
    return_url: str | None
    location: SourceLocation


@dataclass(frozen=True, slots=True)
class DesiredScript:
    """One script of a file; `source_file` is the name of the file with its source."""

    reference: ScriptReference
    source: str
    source_file: str
    emits: tuple[str, ...]
    hosts: tuple[str, ...]
    fuel: int
    examples: tuple[DesiredExample, ...]
    location: SourceLocation

    def to_script(self, *, defined_by: str, defined_at: int) -> Script:
        """Return what is published; `defined_at` is in milliseconds since 1970 UTC."""
        return Script(
            tenant_id=self.reference.tenant_id,
            script_id=self.reference.script_id,
            version=NOT_PUBLISHED,
            source=self.source,
            sha256=hashlib.sha256(self.source.encode()).hexdigest(),
            engine=ENGINE,
            emits=self.emits,
            hosts=self.hosts,
            fuel=self.fuel,
            memory=MEMORY_BYTES,
            examples=tuple(map(_published, self.examples)),
            defined_at=defined_at,
            defined_by=defined_by,
        )


def _published(example: DesiredExample) -> Example:
    effects = tuple(_text(each) for each in effects_as_written(example.effects))
    return Example(_text(example.click_names), dict(example.parameters), effects, example.return_url)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
