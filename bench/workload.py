"""The clicks of the benchmark: seeded, links by Zipf, fields of realistic length, a share of duplicates."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

from consumer.kafka.topics import TopicNames
from schemas.codec import Codec
from schemas.identity import UPDATE_NAMESPACE
from schemas.record_schema import RecordSchema

TENANT = "acme"
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
)
START_MS = 1_780_000_000_000


@dataclass(frozen=True, slots=True)
class Workload:
    """What is sent. `duplicates` is the share of clicks by a recipient who clicked that link before."""

    clicks: int = 500_000
    duplicates: float = 0.3
    links: int = 1_000
    seed: int = 1

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield link and recipient of each click, the same ones at each call."""
        chance = random.Random(self.seed)
        weights = list(itertools.accumulate(1 / rank for rank in range(1, self.links + 1)))
        seen: list[tuple[int, int]] = []
        for number in range(self.clicks):
            if seen and chance.random() < self.duplicates:
                yield chance.choice(seen)
            else:
                (link,) = chance.choices(range(self.links), cum_weights=weights)
                seen.append((link, number))
                yield link, number

    def expected_update_ids(self) -> set[str]:
        """Return the id of every update that these clicks must bring about."""
        names = {"\x1f".join((TENANT, link_id(link), "0", "interested", recipient_id(recipient), ""))
                 for link, recipient in self.pairs()}  # fmt: skip
        return {str(uuid5(UPDATE_NAMESPACE, name)) for name in names}

    def records(self, schema: RecordSchema) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and value of each click."""
        codec, chance = Codec(schema), random.Random(self.seed + 1)
        for number, (link, recipient) in enumerate(self.pairs()):
            click = {
                "tenant_id": TENANT,
                "link_id": link_id(link),
                "recipient_id": recipient_id(recipient),
                "click_id": str(UUID(int=chance.getrandbits(128), version=4)),
                "clicked_at": START_MS + number,
                "person_id": f"person-{recipient}",
                "company_id": f"company-{recipient % 50_000}",
                "mailing_id": f"mailing-{number % 40}",
                "link_version": 1,
                "url": f"https://www.example.com/offers/{link_id(link)}?utm_source=newsletter&utm_campaign=spring",
                "http_method": "GET",
                "user_agent": AGENTS[number % len(AGENTS)],
                "network": f"192.0.{number % 250}.0/24",
                "delivered_at": START_MS - 3_600_000,
                "link_count": 12,
            }
            yield f"{TENANT}/{recipient_id(recipient)}".encode(), codec.encode(click)

    def definitions(self, schema: RecordSchema) -> Iterator[tuple[bytes, bytes]]:
        """Yield key and value of each link's definition: one action, once."""
        codec = Codec(schema)
        action = {
            "action_id": "interested",
            "slot": 0,
            "repeat": {"rule": "once", "period_ms": None},
            "parameters": (
                "link_actions.ChangeInterestParameters",
                {"operation": "add", "interest": "product-news", "scope": "person"},
            ),
        }
        for link in range(self.links):
            url = f"https://www.example.com/offers/{link_id(link)}"
            definition = {
                "tenant_id": TENANT,
                "link_id": link_id(link),
                "version": 1,
                "epoch": 0,
                "status": "active",
                "name": f"Offer {link}",
                "url": url,
                "response": ("link_actions.RedirectResponse", {"url": url}),
                "actions": [action],
                "defined_at": START_MS,
                "defined_by": "bench",
            }
            yield f"{TENANT}/{link_id(link)}/1".encode(), codec.encode(definition)


def link_id(number: int) -> str:
    """Return the name of a link."""
    return f"offer-{number:05d}"


def recipient_id(number: int) -> str:
    """Return the name of a recipient."""
    return f"recipient-{number:09d}"


def updates_topic(names: TopicNames) -> str:
    """Return where the updates of this workload go."""
    return names.update("interest")
