"""Counting the clicks on each link of a batch, in Python."""

from collections.abc import Iterable, Mapping

from consumer.changelog.entries import HitCount, decode_hits, encode_hits
from consumer.decision.candidates import LookUp
from consumer.decision.hits import HitsRecord
from consumer.decision.plan import LinkPlan
from schemas.codec import encode_number


class Hits:
    """Implements `consumer.decision.hits.Hits`; `hits_c` has its compiled counterpart."""

    def __init__(self, plans: Iterable[LinkPlan] = (), look_up: LookUp = list) -> None:
        """LookUp the counts of these plans, each of which is named once."""
        by_key: dict[bytes, list[LinkPlan]] = {}
        for plan in plans:
            by_key.setdefault(plan.hits_key, []).append(plan)
        self._counts: dict[LinkPlan, HitCount] = {}
        self.sequential: set[LinkPlan] = set()
        for versions, value in zip(by_key.values(), look_up(list(by_key)), strict=True):
            count = HitCount(min(plan.epoch for plan in versions)) if value is None else decode_hits(value)
            for plan in versions:
                self._counts[plan] = count
                if len(versions) > 1 or not plan.simple:
                    self.sequential.add(plan)

    def count(self, plan: LinkPlan, *, hit: bool, first: bool) -> int:
        """Count a hit and a first click, if the click is that, and return the clicks of the plan's epoch so far."""
        count = self._epoch(plan)
        if count is None:
            return 0
        count.clicks += hit
        count.first_clicks += first
        return count.clicks

    def add(self, clicks: Mapping[LinkPlan, int], *, first: bool) -> None:
        """Count many clicks of plans that are not `sequential`."""
        for plan, number in clicks.items():
            count = self._epoch(plan)
            if count is not None:
                count.clicks += number
                count.first_clicks += number * first

    def counts(self) -> list[tuple[LinkPlan, HitCount]]:
        """Return the count of each link, with one of its plans."""
        return list({plan.hits_key: (plan, count) for plan, count in self._counts.items()}.values())

    def entries(self) -> list[tuple[bytes, bytes]]:
        """Return the counts as entries of the state."""
        return [(plan.hits_key, encode_hits(count)) for plan, count in self.counts()]

    def records(self, topic: str, frame: bytes, partition: int) -> list[HitsRecord]:
        """Return the counts as LinkHits."""
        place, suffix = encode_number(partition), b"/%d" % partition
        return [
            (topic, frame + plan.link_key + place + _encode_count(count), plan.hits_name + suffix, None)
            for plan, count in self.counts()
        ]

    def _epoch(self, plan: LinkPlan) -> HitCount | None:
        """Return the count, restarted at 0 by the first click of a new epoch; None for clicks from before a reset."""
        count = self._counts[plan]
        if plan.epoch > count.epoch:
            count.epoch, count.clicks, count.first_clicks = plan.epoch, 0, 0
        return count if plan.epoch == count.epoch else None


def _encode_count(count: HitCount) -> bytes:
    return encode_number(count.epoch) + encode_number(count.clicks) + encode_number(count.first_clicks)
