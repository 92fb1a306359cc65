"""Counts the clicks on each link of a batch."""

from collections.abc import Collection, Mapping
from typing import Protocol

from consumer.changelog.entries import HitCount
from consumer.decision.plan import LinkPlan
from schemas.click_batch import PAGE_CLICK, REPLAYED

NO_HIT = PAGE_CLICK | REPLAYED
"""Flags of clicks that are no hits of their own: a pressed button, whose page is the hit, and a replayed click."""

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

    def count(self, plan: LinkPlan, *, hit: bool, first: bool) -> int:
        """Count a hit and a first click, if the click is that, and return the clicks of the plan's epoch so far.

        Returns 0 for a click from before the link's latest reset.
        """

    def add(self, clicks: Mapping[LinkPlan, int], *, first: bool) -> None:
        """Add click counts of plans that are not `sequential`."""

    def counts(self) -> list[tuple[LinkPlan, HitCount]]:
        """Return the count of each link, with one of its plans."""

    def entries(self) -> list[tuple[bytes, bytes]]:
        """Return the counts as entries of the state."""

    def records(self, topic: str, frame: bytes, partition: int) -> list[HitsRecord]:
        """Return the counts as LinkHits: header, tenant and link encoded as in every click, then numbers."""
