"""The compacted view of the topic of scripts: the last value of each key."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from runtime.authoring.publishing import PublishedRecord
from schemas.bad_record import BadRecord, Reason
from schemas.codec import Codec
from schemas.definition_key import newest_version, parse_definition_key
from scripts.definitions.script import Script, ScriptReference, script_from_record

Versions = Mapping[int, bytes | None]
"""The versions of one script by number; None for a tombstone, which counts as never published."""


@dataclass(frozen=True, slots=True)
class UnreadableScript:
    """A version that this program cannot read; `newer` is true if a later program may have written it."""

    reference: ScriptReference
    version: int
    reason: str
    newer: bool

    def __str__(self) -> str:
        advice = "update this program" if self.newer else "publish the script again, which creates a newer version"
        return f"{self.reference} version {self.version} cannot be read ({self.reason}); {advice}"


class PublishedScripts:
    """All versions of all scripts. Adding records again in their order changes nothing."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._versions: dict[ScriptReference, dict[int, bytes | None]] = {}

    def add(self, records: Iterable[PublishedRecord]) -> None:
        """Add records in the order of the topic; records without the key of a definition are skipped."""
        for key, value in records:
            named = parse_definition_key(key)
            if named is not None:
                tenant_id, script_id, version = named
                self._versions.setdefault(ScriptReference(tenant_id, script_id), {})[version] = value

    def __iter__(self) -> Iterator[ScriptReference]:
        """Iterate over the scripts that have a version, sorted."""
        return iter(sorted(reference for reference in self._versions if self.numbers(reference)))

    def numbers(self, reference: ScriptReference) -> list[int]:
        """Return the numbers of the versions that are not withdrawn, ascending."""
        return sorted(number for number, value in self._versions.get(reference, {}).items() if value is not None)

    def highest(self, reference: ScriptReference) -> int:
        """Return the highest number of any record of the script, 0 if there is none."""
        return max(self._versions.get(reference, ()), default=0)

    def newest(self, reference: ScriptReference) -> Script | UnreadableScript | None:
        """Return the version in force; None if there is none."""
        newest = newest_version(sorted(self._versions.get(reference, {}).items(), reverse=True))
        return None if newest is None else read_script(reference, *newest, codec=self._codec)

    def version(self, reference: ScriptReference, version: int) -> Script | UnreadableScript | None:
        """Return one version; None if it was never published, or withdrawn."""
        value = self._versions.get(reference, {}).get(version)
        return None if value is None else read_script(reference, version, value, codec=self._codec)


def read_script(reference: ScriptReference, version: int, value: bytes, *, codec: Codec) -> Script | UnreadableScript:
    """Decode the record of this version."""
    try:
        script = script_from_record(codec.decode(value))
    except BadRecord as error:
        return UnreadableScript(reference, version, str(error), newer=error.reason is Reason.UNKNOWN_SCHEMA)
    if (script.reference, script.version) != (reference, version):
        return UnreadableScript(reference, version, "its key names another script or version", newer=False)
    return script
