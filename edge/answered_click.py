"""One request for a link, as it is recorded."""

from collections.abc import Mapping
from typing import NamedTuple

from edge.client_address import Client
from schemas.token_payload import SentLink


class AnsweredClick(NamedTuple):
    """One request for a link; `clicked_at_ms` is in milliseconds since 1970 UTC, `location` where it was sent to."""

    tenant_id: str
    sent: SentLink
    link_version: int
    click_id: str
    clicked_at_ms: int
    method: str
    headers: Mapping[bytes, bytes]
    client: Client
    location: bytes | None
    is_confirmed: bool = False
    page_click_id: str | None = None
