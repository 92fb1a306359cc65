"""Publishes new versions so that concurrent authors lose nothing.

An author reads the published versions and fences all other authors. It then reads what was published in between,
computes the next versions from all of it, and writes them in one transaction. A fenced author starts again from what
the other one published.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from actions.link import record_from_link
from consumer.links.history import Histories
from consumer.links.link_reference import LinkReference
from consumer.links.published import PublishedRecord
from consumer.links.versioning import Change, NextVersion
from runtime.clock import Clock
from runtime.errors import Unavailable
from schemas.codec import Codec
from schemas.definition_key import definition_key

ATTEMPTS = 12
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 2.0

ComputeVersions = Callable[[Histories], list[NextVersion]]


class PublishInterrupted(Exception):
    """Another author fenced this one, or the transaction failed or has an unknown outcome; compute again."""


class DefinitionTopic(Protocol):
    """The topic of link definitions. Any method raises Unavailable if Kafka does not answer."""

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


def publish(
    topic: DefinitionTopic, histories: Histories, compute: ComputeVersions, *, codec: Codec, clock: Clock
) -> list[NextVersion]:
    """Publish the computed versions and return them; if none is new, no other author is fenced.

    Propagates the errors of `compute`; raises Unavailable if every attempt was interrupted.
    """
    histories.add(topic.read_new())
    versions = compute(histories)
    reason = ""
    for attempt in range(ATTEMPTS):
        if not _unpublished(versions):
            return versions
        try:
            topic.fence_others()
            histories.add(topic.read_new())
            versions = compute(histories)
            topic.publish(encode(_unpublished(versions), codec))
        except PublishInterrupted as error:
            reason = str(error)
        else:
            return versions
        clock.sleep(min(FIRST_PAUSE_SECONDS * 2**attempt, MAX_PAUSE_SECONDS))
        histories.add(topic.read_new())
        if _was_committed(versions, histories):
            return versions
        versions = compute(histories)
    raise Unavailable(f"the links could not be published in {ATTEMPTS} attempts ({reason}); try again in a minute")


def encode(versions: Iterable[NextVersion], codec: Codec) -> list[tuple[bytes, bytes]]:
    """Return the records of new versions."""
    links = [each.link for each in versions]
    return [
        (
            definition_key(link.tenant_id, link.link_id, link.version),
            codec.encode_for_earlier_readers(record_from_link(link)),
        )
        for link in links
    ]


def _unpublished(versions: Iterable[NextVersion]) -> list[NextVersion]:
    return [each for each in versions if each.change is not Change.UNCHANGED]


def _was_committed(versions: Iterable[NextVersion], histories: Histories) -> bool:
    """Return whether a transaction of unknown outcome was committed."""
    links = [each.link for each in _unpublished(versions)]
    newest = {reference: history.newest for reference, history in histories.links.items()}
    return bool(links) and all(newest.get(LinkReference(link.tenant_id, link.link_id)) == link for link in links)
