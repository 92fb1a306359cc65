"""The recipients of the mailings."""

from dataclasses import dataclass
from random import Random

KNOWN_PERSON_SHARE = 0.94
"""The others are e-mail addresses without a person in the CRM."""
KNOWN_COMPANY_SHARE = 0.85
PEOPLE_PER_COMPANY = 6


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient of mailings, and the ids of their CRM cards."""

    recipient_id: str
    person_id: str | None
    company_id: str | None


def sample_recipients(size: int, random: Random) -> list[Recipient]:
    """Make recipients, some of them without a person and some persons without a company."""
    return [_recipient(number, size, random) for number in range(size)]


def _recipient(number: int, size: int, random: Random) -> Recipient:
    has_person, has_company = random.random() < KNOWN_PERSON_SHARE, random.random() < KNOWN_COMPANY_SHARE
    company = random.randrange(max(size // PEOPLE_PER_COMPANY, 1))
    return Recipient(
        recipient_id=f"r-{number:05}",
        person_id=f"p-{number:05}" if has_person else None,
        company_id=f"c-{company:04}" if has_person and has_company else None,
    )
