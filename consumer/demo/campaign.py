"""The mailings and flows with the links of links.yaml."""

from dataclasses import dataclass

TENANT = "acme"
DAY_MS = 86_400_000
CAMPAIGN_MS = 12 * DAY_MS
"""From the first mailing to the last click of the sample."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A mailing, sent to all recipients at once, or a flow, which each recipient enters at another time.

    `links` are ordered from the most to the least clicked; `share` is its part of all visits.
    """

    name: str
    is_flow: bool
    sent_at_ms: int
    """Relative to the start of the campaign."""
    share: float
    links: tuple[str, ...]


CARRIERS = (
    Carrier(
        "spring-mailing",
        is_flow=False,
        sent_at_ms=0,
        share=0.35,
        links=(
            "spring-offer", "price-list", "home", "customer-story", "call-me-back", "newsletter-no", "blog", "imprint",
        ),
    ),
    Carrier(
        "spring-reminder",
        is_flow=False,
        sent_at_ms=4 * DAY_MS,
        share=0.25,
        links=(
            "spring-offer", "price-list", "talk-to-clara", "webinar-signup", "home", "report-a-problem",
            "newsletter-no", "imprint",
        ),
    ),
    Carrier(
        "product-news",
        is_flow=False,
        sent_at_ms=8 * DAY_MS,
        share=0.2,
        links=(
            "customer-story", "spring-offer", "webinar-signup", "shirt-size-l", "newsletter-yes", "shirt-size-xl",
            "blog", "price-list", "newsletter-no", "jobs", "imprint",
        ),
    ),
    Carrier(
        "welcome-flow",
        is_flow=True,
        sent_at_ms=0,
        share=0.12,
        links=("newsletter-yes", "spring-offer", "customer-story", "home", "report-a-problem", "newsletter-no"),
    ),
    Carrier(
        "win-back-flow",
        is_flow=True,
        sent_at_ms=2 * DAY_MS,
        share=0.08,
        links=("spring-offer", "talk-to-clara", "call-me-back", "price-list", "newsletter-no", "imprint"),
    ),
)  # fmt: skip


def carriers_of(link_id: str) -> tuple[Carrier, ...]:
    """Return the mailings and flows that have a link."""
    return tuple(carrier for carrier in CARRIERS if link_id in carrier.links)
