"""The compacted view of the topic of definitions: the last value of each key."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from actions.definition import UnreadableDefinition, read_definition
from actions.ids import looks_of
from actions.kind import Kind
from actions.link import Link
from consumer.links.link_reference import LinkReference
from runtime.authoring.publishing import PublishedRecord
from schemas.codec import Codec
from schemas.definition_key import encode_link, newest_version, parse_definition_key

Versions = Mapping[int, bytes | None]
"""The versions of one link by number; None for a tombstone."""


@dataclass(frozen=True, slots=True)
class UnreadableVersion:
    """A version that this program cannot read; `newer` is true if a later program may have written it."""

    reference: LinkReference
    version: int
    reason: str
    newer: bool = True

    @property
    def remedy(self) -> str:
        """Return the advice for the author."""
        if self.newer:
            return (
                "update this program; if no newer one wrote it, write a record without a value under the key "
                f"{self.reference}/{self.version} to the topic of definitions"
            )
        return "publish the link again, which creates a newer version"


@dataclass(frozen=True, slots=True)
class WithdrawnVersion:
    """A version whose record has no value: it counts as never published."""

    reference: LinkReference
    version: int


class PublishedVersions:
    """The versions of the given links, or of all. Adding records again in their order changes nothing.

    `alike` has the other links whose ids look the same as a given one.
    """

    def __init__(self, only: Collection[LinkReference] | None = None) -> None:
        self._only = only
        self._looks = {_looks_of(reference): reference for reference in only or ()}
        self.alike: dict[LinkReference, set[LinkReference]] = {}
        self.links: dict[LinkReference, dict[int, bytes | None]] = {}

    def add(self, records: Iterable[PublishedRecord]) -> set[LinkReference]:
        """Add records in the order of the topic and return the links that they belong to.

        Records without the key of a definition are skipped.
        """
        changed = set()
        for key, value in records:
            named = parse_definition_key(key)
            if named is None:
                continue
            tenant_id, link_id, version = named
            reference = LinkReference(tenant_id, link_id)
            if self._only is None or reference in self._only:
                self.links.setdefault(reference, {})[version] = value
                changed.add(reference)
            elif value is not None and (asked_for := self._looks.get(_looks_of(reference))):
                self.alike.setdefault(asked_for, set()).add(reference)
        return changed


def _looks_of(reference: LinkReference) -> tuple[str, str]:
    return reference.tenant_id, looks_of(reference.link_id)


def newest_of(versions: Versions) -> tuple[int, bytes] | None:
    """Return number and value of the version in force, by the same rule as the workers."""
    return newest_version(sorted(versions.items(), reverse=True))


def withdrawn_of(reference: LinkReference, versions: Versions) -> Iterator[WithdrawnVersion]:
    """Yield the versions without a value."""
    return (WithdrawnVersion(reference, version) for version in sorted(versions) if versions[version] is None)


def read_version(
    reference: LinkReference, version: int, value: bytes, *, codec: Codec, kinds: Mapping[str, Kind]
) -> Link | UnreadableVersion:
    """Decode one version."""
    key = encode_link(reference.tenant_id, reference.link_id)
    try:
        return read_definition(key, version, value, codec=codec, kinds=kinds)
    except UnreadableDefinition as error:
        return UnreadableVersion(reference, version, str(error), newer=error.newer)
