"""A request and its answer, as values: the HTTP server turns bytes into the one and the other into bytes."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from edge.spool.record import SpooledRecord
from edge.token_refusal import TokenRefusal

Headers = tuple[tuple[bytes, bytes], ...]

COMMON_HEADERS: Headers = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
)
"""Headers of every answer; `headers_of_page` has them for pages."""


class AnswerKind(StrEnum):
    """The kind of an answer, for the metrics."""

    __hash__ = str.__hash__  # that of an enumeration is Python code

    REDIRECT = "redirect"
    TEXT = "text"
    CONFIRMATION = "confirmation"
    FORM = "form"
    THANKS = "thanks"
    ONE_CLICK = "one_click"
    NOT_VALID = "not_valid"
    NOT_READY = "not_ready"
    NOT_RECORDED = "not_recorded"
    SPECULATION = "speculation"
    OTHER = "other"


class Request(NamedTuple):
    """A request. `path` is the raw target without its query; `headers` have lower-case names, each once.

    `peer` is the address of the client, or of the proxy before it; None for a Unix socket.
    """

    method: str
    path: bytes
    headers: Mapping[bytes, bytes] = MappingProxyType({})
    body: bytes = b""
    peer: str | None = None


class Answer(NamedTuple):
    """An answer, and the click that has to be recorded before its first byte goes out.

    `key_id` is the key of a valid token, `refusal` the reason why there is none. `prefill` is None unless facts about
    the person are to be filled in first.
    """

    kind: AnswerKind
    status: int
    headers: Headers
    body: bytes = b""
    click: "RecordedClick | None" = None
    key_id: int | None = None
    refusal: TokenRefusal | None = None
    prefill: "Prefill | None" = None

    def with_click(self, click: "RecordedClick", key_id: int) -> "Answer":
        """Return the answer with a click of this key, in a third of the time of `_replace`."""
        return Answer(self.kind, self.status, self.headers, self.body, click, key_id, None, self.prefill)

    def without_click(self) -> "Answer":
        """Return the answer as it is sent if there is no click."""
        return self._replace(click=None, prefill=None)

    def if_unrecorded(self) -> "Answer":
        """Return the answer that is sent if the click cannot be kept."""
        return self._instead(self.click.unrecorded if self.click else None)

    def if_rate_limited(self) -> "Answer":
        """Return the answer that is sent if there are too many clicks with the token."""
        return self._instead(self.click.rate_limited if self.click else None)

    def _instead(self, make: "Callable[[], Answer] | None") -> "Answer":
        return self.without_click() if make is None else make()._replace(key_id=self.key_id)


class RecordedClick(NamedTuple):
    """The click behind an answer, as records. Without one of the following, its answer goes out all the same.

    `unrecorded` makes the answer if it cannot be kept, `rate_limited` if there are too many with this token.
    """

    click_id: str
    token: str
    records: tuple[SpooledRecord, ...]
    unrecorded: "Callable[[], Answer] | None" = None
    rate_limited: "Callable[[], Answer] | None" = None


class Prefill(NamedTuple):
    """The facts about a person that a form is to be filled with, by name; `fill` makes the page of their values."""

    tenant_id: str
    person_id: str
    facts: tuple[str, ...]
    fill: Callable[[Mapping[str, str]], Answer]


class Prefilled(StrEnum):
    """The result of asking for facts."""

    FILLED = "filled"
    UNKNOWN = "unknown"
    """The service knows none of them."""
    FAILED = "failed"
    """No answer in time, or none that can be used; the form comes empty."""
