"""A request whose token is valid, with the link that it asks for."""

from typing import NamedTuple

from edge.accept_language import is_first_language, page_language
from edge.exchange import Request
from edge.keyring import KeyState
from edge.link import EdgeLink
from schemas.token_payload import SentLink


class OpenedLink(NamedTuple):
    """`tenant_language` is that of the tenant's pages, None if it has set none.

    `override` is an address that a script has set for this recipient.
    """

    request: Request
    token: str
    tenant_id: str
    key_id: int
    state: KeyState
    sent: SentLink
    link: EdgeLink
    tenant_language: str | None
    override: bytes | None = None

    @property
    def path(self) -> str:
        """The path of its pages, without what mail programs appended."""
        return f"/l/{self.token}"

    @property
    def language(self) -> str:
        """The language of its pages."""
        return page_language(self.request.headers.get(b"accept-language"), self.tenant_language)

    @property
    def location(self) -> bytes | None:
        """The URL that this person is sent to; None for a text or a form."""
        link = self.link
        if self.override is not None:
            return self.override
        if not link.rules:
            return link.location
        accepted = self.request.headers.get(b"accept-language")
        return link.location_for(self.sent, lambda tag: is_first_language(tag, accepted))
