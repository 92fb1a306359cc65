"""Counts the clicks on each link of a batch."""

from collections.abc import Collection, Mapping
from typing import Protocol

from consumer.changelog.entries import HitCount
from consumer.decision.plan import LinkPlan

HitsRecord = tuple[str, bytes, bytes, None]
"""Topic, value, key and no headers of a LinkHits."""


class Hits(Protocol):
    """The click counts of the links in a batch.

    Most links have one plan in a batch, and no action asks for the count in between: their clicks are added up at the
    end. `sequential` are the plans of the others, whose clicks must be counted one after the other.
    """

    @property
    def sequential(self) -> Collection[LinkPlan]:
        """The plans whose clicks must go through `count`, one at a time."""

    def count(self, plan: LinkPlan, *, first: bool) -> int:
        """Count a click and return the clicks of its epoch so far; 0 for one from before the link's latest reset."""

    def add(self, clicks: Mapping[LinkPlan, int], *, first: bool) -> None:
        """Add click counts of plans that are not `sequential`."""

    def counts(self) -> list[tuple[LinkPlan, HitCount]]:
        """Return the count of each link, with one of its plans."""

    def entries(self) -> list[tuple[bytes, bytes]]:
        """Return the counts as entries of the state."""

    def records(self, topic: str, frame: bytes, partition: int) -> list[HitsRecord]:
        """Return the counts as LinkHits: header, tenant and link encoded as in every click, then numbers."""
