"""Random sample clicks from a seed: bursts after each mailing, links by Zipf's law, repeated clicks."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from consumer.demo.campaign import CAMPAIGN_MS, CARRIERS, TENANT, Carrier, carriers_of
from consumer.demo.recipients import Recipient, sample_recipients

VISITS_PER_RECIPIENT = 5
HOUR_MS = 3_600_000
BURST_MEAN_MS = 5 * HOUR_MS
LATE_MEAN_MS = 36 * HOUR_MS
LATE_SHARE = 0.3
"""Clicks long after the mailing; the others belong to the burst."""
ZIPF_EXPONENT = 1.1

DOUBLE_CLICK_SHARE = 0.1
ELSEWHERE_SHARE = 0.12
"""Clicks repeated through another mailing or flow, in addition to random repetitions."""
RETRY_SHARE = 0.02
TEST_SHARE = 0.003
MISROUTED_SHARE = 0.001
NAMED_VERSION_SHARE = 0.85
UNDEFINED_LINK_SHARE = 0.002
UNDEFINED_LINK = "offer-of-last-year"
"""A link without a definition."""
CLICKS_PER_EXPORTED = 50
"""One in this many clicks comes from an export, which writes an empty string for unknown ids."""
OPTIONAL_IDS = ("person_id", "company_id", "mailing_id", "flow_id", "flow_run_id")

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True, slots=True)
class SampleClick:
    """A click as the edge publishes it; `record` is a LinkClicked. Times are in milliseconds since 1970 UTC."""

    record: dict[str, Any]
    published_at_ms: int
    is_retry: bool = False
    """True if the edge published the same click again because the broker had not confirmed it."""
    is_misrouted: bool = False
    """True if the edge used another partitioner than murmur2."""


def sample_clicks(count: int, *, seed: int, starts_at_ms: int) -> list[SampleClick]:
    """Make clicks in the order of publishing; the same ones for the same arguments.

    `starts_at_ms` is the time of the first mailing, in milliseconds since 1970 UTC.
    """
    random = Random(seed)  # noqa: S311 - a sample, not a secret
    recipients = sample_recipients(max(count // VISITS_PER_RECIPIENT // 2, 1), random)
    sampler = _Sampler(random, starts_at_ms)
    clicks: list[SampleClick] = []
    while len(clicks) < count:
        # The exponent makes some people click much more than others.
        clicks += sampler.visit(recipients[int(random.random() ** 1.3 * len(recipients))])
    return sorted(clicks[:count], key=lambda click: click.published_at_ms)


class _Sampler:
    def __init__(self, random: Random, starts_at_ms: int) -> None:
        self._random = random
        self._starts_at = starts_at_ms

    def visit(self, recipient: Recipient) -> Iterator[SampleClick]:
        """Yield the clicks of one person who reads one mail."""
        (carrier,) = self._random.choices(CARRIERS, [carrier.share for carrier in CARRIERS])
        weights = [1 / rank**ZIPF_EXPONENT for rank in range(1, len(carrier.links) + 1)]
        visited_at_ms = self._time_of_visit(carrier)
        chosen = self._random.choices(carrier.links, weights, k=self._random.choice((1, 1, 1, 2, 3)))
        for number, link_id in enumerate(dict.fromkeys(chosen)):
            yield from self._clicks(recipient, carrier, link_id, visited_at_ms + number * 20_000)
            if self._happens(ELSEWHERE_SHARE):
                other = self._random.choice(carriers_of(link_id))
                yield from self._clicks(recipient, other, link_id, self._time_of_visit(other))

    def _clicks(self, recipient: Recipient, carrier: Carrier, link_id: str, at_ms: int) -> Iterator[SampleClick]:
        if self._happens(UNDEFINED_LINK_SHARE):
            link_id = UNDEFINED_LINK
        click = self._click(recipient, carrier, link_id, at_ms)
        yield click
        if self._happens(RETRY_SHARE):
            yield replace(click, published_at_ms=at_ms + self._random.randrange(1_000, 5_000), is_retry=True)
        if self._happens(DOUBLE_CLICK_SHARE):
            yield self._click(recipient, carrier, link_id, at_ms + self._random.randrange(500, 30_000))

    def _click(self, recipient: Recipient, carrier: Carrier, link_id: str, at_ms: int) -> SampleClick:
        number = self._random.getrandbits(128)
        record = {
            "tenant_id": TENANT,
            "link_id": link_id,
            "recipient_id": recipient.recipient_id,
            "click_id": str(uuid.UUID(int=number, version=4)),
            "clicked_at": at_ms,
            "person_id": recipient.person_id,
            "company_id": recipient.company_id,
            "mailing_id": None if carrier.is_flow else carrier.name,
            "flow_id": carrier.name if carrier.is_flow else None,
            "flow_run_id": self._flow_run(recipient, carrier),
            "link_version": 1 if link_id != UNDEFINED_LINK and self._happens(NAMED_VERSION_SHARE) else None,
            "test": self._happens(TEST_SHARE),
            "confirmed": False,
            "http_method": "GET",
            "user_agent": BROWSER,
        }
        if number % CLICKS_PER_EXPORTED == 0:
            record |= {name: record[name] or "" for name in OPTIONAL_IDS}
        return SampleClick(record, at_ms, is_misrouted=self._happens(MISROUTED_SHARE))

    def _flow_run(self, recipient: Recipient, carrier: Carrier) -> str | None:
        """Return the id of the flow run; a few people enter a flow twice."""
        number = 2 if self._happens(0.1) else 1
        return f"{carrier.name}/{recipient.recipient_id}/{number}" if carrier.is_flow else None

    def _time_of_visit(self, carrier: Carrier) -> int:
        left = CAMPAIGN_MS - carrier.sent_at_ms
        if carrier.is_flow:
            since = self._random.randrange(left)
        else:
            mean = LATE_MEAN_MS if self._happens(LATE_SHARE) else BURST_MEAN_MS
            since = int(min(self._random.expovariate(1 / mean), left - HOUR_MS))
        return self._starts_at + carrier.sent_at_ms + since

    def _happens(self, share: float) -> bool:
        return self._random.random() < share
