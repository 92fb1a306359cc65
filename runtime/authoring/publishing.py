"""Publishes new versions so that concurrent authors lose nothing.

An author reads the published versions and fences all other authors. It then reads what was published in between,
computes the next versions from all of it, and writes them in one transaction. A fenced author starts again from what
the other one published.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from runtime.clock import Clock
from runtime.errors import Unavailable

ATTEMPTS = 12
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 2.0

PublishedRecord = tuple[bytes | None, bytes | None]
"""Key and value of a record on a topic of definitions."""

Version = TypeVar("Version")


class PublishInterrupted(Exception):
    """Another author fenced this one, or the transaction failed or has an unknown outcome; compute again."""


class DefinitionTopic(Protocol):
    """A topic of definitions. Any method raises Unavailable if Kafka does not answer."""

    def read_new(self) -> Iterable[PublishedRecord]:
        """Return the records published since the last call, up to the current end."""

    def fence_others(self) -> None:
        """Initialize a producer with the authors' transactional id.

        This fences all earlier authors and aborts their open transactions. Raises PublishInterrupted if another author
        fenced this one meanwhile.
        """

    def publish(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Write all of these keys and values or none. Call `fence_others` first. Raises PublishInterrupted."""

    def close(self) -> None:
        """Close the connections."""


class Publication(Protocol[Version]):
    """What one author wants to be published."""

    def add(self, records: Iterable[PublishedRecord]) -> None:
        """Add published records, in the order of the topic."""

    def compute(self) -> list[Version]:
        """Return the wanted versions, those that are published already included, from all records added so far."""

    def unpublished(self, versions: Iterable[Version]) -> list[Version]:
        """Return the versions that are new."""

    def encode(self, versions: Iterable[Version]) -> list[tuple[bytes, bytes]]:
        """Return the records of new versions."""

    def contains(self, versions: Iterable[Version]) -> bool:
        """Return whether the records added so far have all of these new versions as the newest ones."""


def publish(topic: DefinitionTopic, publication: Publication[Version], *, clock: Clock, what: str) -> list[Version]:
    """Publish the computed versions and return them; if none is new, no other author is fenced.

    `what` names them in an error. Propagates the errors of `compute`; raises Unavailable if every attempt was
    interrupted.
    """
    publication.add(topic.read_new())
    versions = publication.compute()
    reason = ""
    for attempt in range(ATTEMPTS):
        if not publication.unpublished(versions):
            return versions
        try:
            topic.fence_others()
            publication.add(topic.read_new())
            versions = publication.compute()
            topic.publish(publication.encode(publication.unpublished(versions)))
        except PublishInterrupted as error:
            reason = str(error)
        else:
            return versions
        clock.sleep(min(FIRST_PAUSE_SECONDS * 2**attempt, MAX_PAUSE_SECONDS))
        publication.add(topic.read_new())
        if publication.contains(publication.unpublished(versions)):
            return versions
        versions = publication.compute()
    raise Unavailable(f"the {what} could not be published in {ATTEMPTS} attempts ({reason}); try again in a minute")
