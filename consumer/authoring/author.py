"""What somebody who keeps links can do: publish, preview, reset, delete and look."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing

from actions.kind import Kind
from actions.link import Link
from consumer.authoring.history import Histories
from consumer.authoring.link_reference import LinkReference
from consumer.authoring.listing import UnreadableVersion, newest_versions, read_version, versions_of
from consumer.authoring.plan import PlannedLink, Signature, next_epochs, plan_deletions, plan_links, plan_resets
from consumer.authoring.publishing import DefinitionTopic, Plan, publish
from consumer.authoring.wanted import WantedLink
from consumer.clock import Clock
from consumer.errors import UsageError
from schemas.codec import Codec


class Author:
    """Carries out one operation after the other, each on a connection of its own.

    Operations raise UsageError for what the caller must mend, Unavailable where Kafka is not to be had.
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
        """`codec` reads; what may publish reads and writes with what `open_writing_codec` gives, if given."""
        self._open_writing_codec = open_writing_codec or (lambda: codec)
        self._open_topic = open_topic
        self._kinds = kinds
        self._codec = codec
        self._clock = clock
        self._defined_by = defined_by

    def publish(self, wanted: Sequence[WantedLink]) -> list[PlannedLink]:
        """Publish the links that differ from what is published; return all, with what became of each."""
        signature = self._signature()
        return self._publish(_references(wanted), lambda histories: plan_links(wanted, histories, signature))

    def preview(self, wanted: Sequence[WantedLink]) -> list[PlannedLink]:
        """Return what `publish` would do now."""
        return plan_links(wanted, self._read(_references(wanted)), self._signature())

    def reset(self, references: Collection[LinkReference]) -> list[PlannedLink]:
        """Open a new epoch for each link: whoever clicked before counts as new."""
        signature = self._signature()
        epochs = next_epochs(references, self._read(references))
        return self._publish(references, lambda histories: plan_resets(epochs, histories, signature))

    def delete(self, references: Collection[LinkReference]) -> list[PlannedLink]:
        """Hide each link from authors; it goes on redirecting and acting."""
        signature = self._signature()
        return self._publish(references, lambda histories: plan_deletions(references, histories, signature))

    def newest(self, tenant_id: str | None = None) -> list[Link | UnreadableVersion]:
        """Return the newest version of each link, by tenant and link."""
        with closing(self._open_topic()) as topic:
            newest = newest_versions(topic.read_new(), tenant_id)
        return [self._version(reference, *version) for reference, version in newest.items()]

    def version(self, reference: LinkReference, version: int | None = None) -> Link:
        """Return one version, the newest unless said otherwise.

        Raises UsageError where it was not published or cannot be read.
        """
        with closing(self._open_topic()) as topic:
            versions = versions_of(reference, topic.read_new())
        if not versions:
            raise UsageError(f"{reference}: no such link is published; see link-actions links list --all")
        number = max(versions) if version is None else version
        if number not in versions:
            raise UsageError(f"{reference} has the versions 1 to {max(versions)}, and no version {number}")
        found = self._version(reference, number, versions[number])
        if isinstance(found, UnreadableVersion):
            raise UsageError(f"{reference} version {number} cannot be read ({found.reason}); update this program")
        return found

    def _publish(self, references: Collection[LinkReference], plan: Plan) -> list[PlannedLink]:
        codec = self._open_writing_codec()
        histories = Histories(codec, self._kinds, frozenset(references))
        with closing(self._open_topic()) as topic:
            return publish(topic, histories, plan, codec=codec, clock=self._clock)

    def _read(self, references: Collection[LinkReference]) -> Histories:
        histories = Histories(self._codec, self._kinds, frozenset(references))
        with closing(self._open_topic()) as topic:
            histories.add(topic.read_new())
        return histories

    def _version(self, reference: LinkReference, version: int, value: bytes) -> Link | UnreadableVersion:
        return read_version(reference, version, value, codec=self._codec, kinds=self._kinds)

    def _signature(self) -> Signature:
        return Signature(self._defined_by, self._clock.now_ms())


def _references(wanted: Iterable[WantedLink]) -> list[LinkReference]:
    return [link.reference for link in wanted]
