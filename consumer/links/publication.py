"""The new versions of links that one author publishes."""

from collections.abc import Callable, Iterable

from actions.link import record_from_link
from consumer.links.history import Histories
from consumer.links.link_reference import LinkReference
from consumer.links.versioning import Change, NextVersion
from runtime.authoring.publishing import PublishedRecord
from schemas.codec import Codec
from schemas.definition_key import definition_key

ComputeVersions = Callable[[Histories], list[NextVersion]]


class LinkPublication:
    """Computes versions from the histories. Implements `Publication`."""

    def __init__(self, histories: Histories, compute: ComputeVersions, codec: Codec) -> None:
        self._histories = histories
        self._compute = compute
        self._codec = codec

    def add(self, records: Iterable[PublishedRecord]) -> None:
        """Add published records."""
        self._histories.add(records)

    def compute(self) -> list[NextVersion]:
        """Return the newest version of each link."""
        return self._compute(self._histories)

    def unpublished(self, versions: Iterable[NextVersion]) -> list[NextVersion]:
        """Return the versions that are new."""
        return [each for each in versions if each.change is not Change.UNCHANGED]

    def encode(self, versions: Iterable[NextVersion]) -> list[tuple[bytes, bytes]]:
        """Return the records of new versions."""
        return encode(versions, self._codec)

    def contains(self, versions: Iterable[NextVersion]) -> bool:
        """Return whether a transaction of unknown outcome was committed."""
        links = [each.link for each in versions]
        newest = {reference: history.newest for reference, history in self._histories.links.items()}
        return bool(links) and all(newest.get(LinkReference(link.tenant_id, link.link_id)) == link for link in links)


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
