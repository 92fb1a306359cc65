"""Publishes, previews, resets, deletes and reads links."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing

from actions.kind import Kind
from actions.link import Link
from consumer.links.desired import DesiredLink
from consumer.links.history import Histories
from consumer.links.link_reference import LinkReference
from consumer.links.publication import ComputeVersions, LinkPublication
from consumer.links.published import (
    PublishedVersions,
    UnreadableVersion,
    Versions,
    WithdrawnVersion,
    newest_of,
    read_version,
    withdrawn_of,
)
from consumer.links.versioning import Authorship, NextVersion, next_deletions, next_epochs, next_resets, next_versions
from runtime.authoring.publishing import DefinitionTopic, publish
from runtime.clock import Clock
from runtime.errors import UsageError
from schemas.codec import Codec

MAX_NUMBERS_SHOWN = 10
"""Versions named in a message if their numbers have gaps."""


class LinkPublisher:
    """Runs operations on the published links, each on its own connection.

    They raise UsageError for mistakes of the caller, Unavailable if Kafka does not answer.
    """

    def __init__(
        self,
        open_topic: Callable[[], DefinitionTopic],
        *,
        kinds: Mapping[str, Kind],
        codec: Codec,
        clock: Clock,
        defined_by: str,
        open_writing_codec: Callable[[], Codec] | None = None,
    ) -> None:
        """`codec` reads. To publish, `open_writing_codec` opens a codec that reads and writes; default: `codec`."""
        self._open_writing_codec = open_writing_codec or (lambda: codec)
        self._open_topic = open_topic
        self._kinds = kinds
        self._codec = codec
        self._clock = clock
        self._defined_by = defined_by

    def publish(self, desired: Sequence[DesiredLink]) -> list[NextVersion]:
        """Publish the links that differ from the published ones; return all, each with its change."""
        authorship = self._authorship()
        return self._publish(_references(desired), lambda histories: next_versions(desired, histories, authorship))

    def preview(self, desired: Sequence[DesiredLink]) -> list[NextVersion]:
        """Return the result that `publish` would have now."""
        return next_versions(desired, self._read(_references(desired)), self._authorship())

    def preview_reset(self, references: Collection[LinkReference]) -> list[NextVersion]:
        """Return the result that `reset` would have now."""
        histories = self._read(references)
        return next_resets(next_epochs(references, histories), histories, self._authorship())

    def reset(
        self, references: Collection[LinkReference], epochs: Mapping[LinkReference, int] | None = None
    ) -> list[NextVersion]:
        """Start a new epoch for each link: everyone who clicked before counts as new.

        `epochs` are the confirmed ones: if another author has reset a link meanwhile, it is not reset twice.
        """
        authorship = self._authorship()
        targets = next_epochs(references, self._read(references)) if epochs is None else epochs
        return self._publish(references, lambda histories: next_resets(targets, histories, authorship))

    def preview_deletion(self, references: Collection[LinkReference]) -> list[NextVersion]:
        """Return the result that `delete` would have now."""
        return next_deletions(references, self._read(references), self._authorship())

    def delete(self, references: Collection[LinkReference]) -> list[NextVersion]:
        """Mark each link as deleted: lists hide it, but it still redirects and acts."""
        authorship = self._authorship()
        return self._publish(references, lambda histories: next_deletions(references, histories, authorship))

    def list_links(self, tenant_id: str | None = None) -> list[Link | UnreadableVersion | WithdrawnVersion]:
        """Return the version in force of each link, sorted by tenant and link, and all withdrawn versions."""
        links = self._published().links
        found: list[Link | UnreadableVersion | WithdrawnVersion] = []
        for reference in sorted(links):
            if tenant_id in (None, reference.tenant_id):
                newest = newest_of(links[reference])
                found += [self._version(reference, *newest)] if newest else []
                found += withdrawn_of(reference, links[reference])
        return found

    def version(self, reference: LinkReference, version: int | None = None) -> Link:
        """Return one version, by default the one in force.

        Raises UsageError if it was not published or cannot be read.
        """
        return self.inspect(reference, version)[0]

    def inspect(
        self, reference: LinkReference, version: int | None = None
    ) -> tuple[Link, list[UnreadableVersion | WithdrawnVersion]]:
        """Return what `version` returns, and all unreadable and withdrawn versions of the link."""
        versions = self._published([reference]).links.get(reference, {})
        newest = newest_of(versions)
        if newest is None:
            raise UsageError(f"{reference}: no such link is published; run link-actions links list --all")
        number = newest[0] if version is None else version
        if versions.get(number) is None:
            raise UsageError(f"{reference} has no version {number}; {_describe_versions(versions)}")
        read = {
            number: self._version(reference, number, value) for number, value in versions.items() if value is not None
        }
        found = read[number]
        if isinstance(found, UnreadableVersion):
            raise UsageError(f"{reference} version {number} cannot be read ({found.reason}); {found.remedy}")
        unreadable = [each for each in read.values() if isinstance(each, UnreadableVersion)]
        return found, sorted([*unreadable, *withdrawn_of(reference, versions)], key=lambda each: each.version)

    def _published(self, only: Collection[LinkReference] | None = None) -> PublishedVersions:
        published = PublishedVersions(only)
        with closing(self._open_topic()) as topic:
            published.add(topic.read_new())
        return published

    def _publish(self, references: Collection[LinkReference], compute: ComputeVersions) -> list[NextVersion]:
        codec = self._open_writing_codec()
        histories = Histories(codec, self._kinds, frozenset(references))
        with closing(self._open_topic()) as topic:
            return publish(topic, LinkPublication(histories, compute, codec), clock=self._clock, what="links")

    def _read(self, references: Collection[LinkReference]) -> Histories:
        histories = Histories(self._codec, self._kinds, frozenset(references))
        with closing(self._open_topic()) as topic:
            histories.add(topic.read_new())
        return histories

    def _version(self, reference: LinkReference, version: int, value: bytes) -> Link | UnreadableVersion:
        return read_version(reference, version, value, codec=self._codec, kinds=self._kinds)

    def _authorship(self) -> Authorship:
        return Authorship(self._defined_by, self._clock.now_ms())


def _describe_versions(versions: Versions) -> str:
    numbers = sorted(version for version, value in versions.items() if value is not None)
    if len(numbers) == 1:
        return f"its only version is {numbers[0]}"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"it has the versions {numbers[0]} to {numbers[-1]}"
    shown = ", ".join(map(str, numbers[-MAX_NUMBERS_SHOWN:]))
    return f"its newest versions are {shown}"


def _references(desired: Iterable[DesiredLink]) -> list[LinkReference]:
    return [link.reference for link in desired]
