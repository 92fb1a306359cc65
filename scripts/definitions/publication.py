"""The new versions of scripts that one author publishes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from runtime.authoring.publishing import PublishedRecord
from runtime.errors import UsageError
from schemas.codec import Codec
from schemas.definition_key import MAX_VERSION, definition_key
from scripts.definitions.published import PublishedScripts, UnreadableScript
from scripts.definitions.script import Script, record_from_script


class Change(StrEnum):
    """The effect of publishing on a script."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class NextScript:
    """The newest version of a script, published already if `change` is UNCHANGED."""

    change: Change
    script: Script


class ScriptPublication:
    """Computes the next versions of scripts. Implements `Publication`."""

    def __init__(self, desired: Sequence[Script], codec: Codec) -> None:
        """The version numbers of `desired` do not matter."""
        self._desired = desired
        self._codec = codec
        self._published = PublishedScripts(codec)

    def add(self, records: Iterable[PublishedRecord]) -> None:
        """Add published records."""
        self._published.add(records)

    def compute(self) -> list[NextScript]:
        """Return the newest version of each script. Raises UsageError for one that this program cannot follow."""
        return [self._next(script) for script in self._desired]

    def unpublished(self, versions: Iterable[NextScript]) -> list[NextScript]:
        """Return the versions that are new."""
        return [each for each in versions if each.change is not Change.UNCHANGED]

    def encode(self, versions: Iterable[NextScript]) -> list[tuple[bytes, bytes]]:
        """Return the records of new versions."""
        scripts = [each.script for each in versions]
        return [
            (
                definition_key(script.tenant_id, script.script_id, script.version),
                self._codec.encode_for_earlier_readers(record_from_script(script)),
            )
            for script in scripts
        ]

    def contains(self, versions: Iterable[NextScript]) -> bool:
        """Return whether a transaction of unknown outcome was committed."""
        scripts = [each.script for each in versions]
        return bool(scripts) and all(self._published.newest(script.reference) == script for script in scripts)

    def _next(self, desired: Script) -> NextScript:
        reference = desired.reference
        newest, highest = self._published.newest(reference), self._published.highest(reference)
        if isinstance(newest, UnreadableScript) and newest.newer:
            raise UsageError(str(newest))
        if isinstance(newest, Script) and desired.same_as(newest):
            return NextScript(Change.UNCHANGED, newest)
        if highest >= MAX_VERSION:
            raise UsageError(f"{reference} has the highest possible version, {MAX_VERSION}; give the script another id")
        change = Change.CREATED if newest is None else Change.CHANGED
        return NextScript(change, replace(desired, version=highest + 1))
