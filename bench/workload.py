"""The clicks of the benchmark: seeded, links by Zipf, fields of realistic length, a share of duplicates."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bench.links import START_MS, TENANT, link_id
from bench.shape import Shape

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
)

Click = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Workload:
    """The clicks to send: the same at each call."""

    shape: Shape
    clicks: int = 500_000
    seed: int = 1
    first_recipient: int = 0
    """First recipient number, for clicks that follow others by other people."""

    def clicks_in_order(self) -> Iterator[tuple[int, bool, Click]]:
        """Yield link, whether it is the recipient's first click on it, and the fields."""
        for link, recipient, is_first, click in self._clicks():
            yield link, is_first and not self._is_remembered(recipient), click

    def remembered(self) -> Iterator[tuple[int, Click]]:
        """Yield link and fields of the clicks that would be first, had their recipients not clicked long before."""
        for link, recipient, is_first, click in self._clicks():
            if is_first and self._is_remembered(recipient):
                yield link, click

    def _is_remembered(self, recipient: int) -> bool:
        return self.shape.remembered > 0 and recipient % self.shape.remembered == 0

    def _clicks(self) -> Iterator[tuple[int, int, bool, Click]]:
        chance = random.Random(self.seed + 1)
        for number, (link, recipient, is_first) in enumerate(self._pairs()):
            yield link, recipient, is_first, {
                "tenant_id": TENANT,
                "link_id": link_id(link),
                "recipient_id": recipient_id(recipient),
                "click_id": str(UUID(int=chance.getrandbits(128), version=4)),
                "clicked_at": START_MS + number,
                "person_id": f"person-{recipient}",
                "company_id": f"company-{recipient % 50_000}",
                "mailing_id": f"mailing-{number % 40}",
                "link_version": 1 + number * self.shape.versions // self.clicks,
                "url": f"https://www.example.com/offers/{link_id(link)}?utm_source=newsletter&utm_campaign=spring",
                "http_method": "GET",
                "user_agent": AGENTS[number % len(AGENTS)],
                "network": f"192.0.{number % 250}.0/24",
                "delivered_at": START_MS - 3_600_000,
                "link_count": 12,
            }  # fmt: skip

    def _pairs(self) -> Iterator[tuple[int, int, bool]]:
        """Yield link and recipient of each click, and whether they meet for the first time."""
        chance = random.Random(self.seed)
        links = range(self.shape.links)
        weights = list(itertools.accumulate(1 / rank for rank in range(1, self.shape.links + 1)))
        seen: list[tuple[int, int]] = []
        for number in range(self.clicks):
            if seen and chance.random() < self.shape.duplicates:
                yield *chance.choice(seen), False
            else:
                (link,) = chance.choices(links, cum_weights=weights)
                recipient = self.first_recipient + number
                seen.append((link, recipient))
                yield link, recipient, True


def recipient_id(number: int) -> str:
    """Return the name of a recipient."""
    return f"recipient-{number:09d}"


def click_key(click: Click) -> bytes:
    """Return the record key of a click and of its updates."""
    return f"{click['tenant_id']}/{click['recipient_id']}".encode()
