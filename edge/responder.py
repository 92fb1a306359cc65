"""The answer to a request: a function of request, links, keys and clock, without side effects.

GET shows and redirects; only POST does what needs a confirmation. Speculation that a browser declares gets 503: after
any other answer the browser would not send the real click.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from uuid import UUID, uuid5

from actions.definition import UnreadableDefinition
from edge import page_answers
from edge.accept_language import page_language
from edge.answered_click import AnsweredClick
from edge.click_encoding_py import link_key
from edge.click_record import ClickEncoder
from edge.client_address import TrustedProxies, client_of
from edge.exchange import COMMON_HEADERS, Answer, AnswerKind, RecordedClick, Request
from edge.form_record import FormEncoder
from edge.keyring import Keyring, KeyState
from edge.link import EdgeLink
from edge.link_cache import LinkNotReady, Links
from edge.network_classes import NetworkClasses
from edge.opened_link import OpenedLink
from edge.return_urls import ReturnUrls
from edge.spool.record import SpooledRecord
from edge.token_refusal import TokenRefusal
from runtime.ports import RetriableError
from schemas.link_token import BadToken, open_token
from schemas.token_payload import SentLink

CONFIRMED_CLICKS = UUID("0f0f2c0a-1a53-5c9a-8a54-6f1f6d0c7a11")
"""Namespace of the ids of confirmed clicks: a button that is pressed twice makes one click."""

_APPENDED = rb"(?:[>)\].,;:!?'\"/&]|%2[0279]|%3[BEbe]|%5[Dd])"
_LINK_PATH = re.compile(rb"/l/([A-Za-z0-9_-]+)(/done)?(?:" + _APPENDED + rb".*)?", re.DOTALL)
"""A link, with what mail programs append to one that they find in a text."""
PREFILL_MS = 30 * 24 * 60 * 60 * 1_000
"""Age of a message, in milliseconds, up to which its forms are prefilled."""
_METHODS = b"GET, HEAD, POST, OPTIONS"
_SPECULATION = frozenset((b"sec-purpose", b"purpose", b"x-purpose", b"x-moz"))
_SPECULATIVE = re.compile(rb"prefetch|prerender|preview", re.IGNORECASE)


_REMEMBERED = 4_096
"""Redirects kept: there is one per address that links lead to."""


class _Refused(Exception):
    """The token of the request is not valid."""

    def __init__(self, reason: TokenRefusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Responder:
    """Answers requests. `unpack` reads the payload of a token and raises BadPayload; `now_ms` is in milliseconds since
    1970 UTC; `new_click_id` returns a UUID as text.
    """

    links: Links[EdgeLink]
    keyring: Callable[[], Keyring]
    unpack: Callable[[bytes], SentLink]
    encoder: ClickEncoder
    trusted_proxies: TrustedProxies
    network_classes: Callable[[], NetworkClasses]
    forms: FormEncoder
    return_urls: ReturnUrls
    now_ms: Callable[[], int]
    new_click_id: Callable[[], str]

    def __call__(self, request: Request) -> Answer:
        """Return the answer and the click that has to be recorded before it."""
        answer = _without_link(request)
        if answer is not None:
            return answer
        found = _LINK_PATH.fullmatch(request.path)
        try:
            if found is None:
                raise _Refused(TokenRefusal.MALFORMED)
            opened = self._open(request, found[1].decode())
        except _Refused as refused:
            return page_answers.not_valid(_language(request))._replace(refusal=refused.reason)
        except (LinkNotReady, RetriableError, UnreadableDefinition):
            return page_answers.not_ready(_language(request), request.path.decode("latin-1"))
        answer = self._answer(opened, is_done=found[2] is not None)
        return answer if answer.click else answer._replace(key_id=opened.key_id)

    def _open(self, request: Request, token: str) -> OpenedLink:
        keyring = self.keyring()
        try:
            key, sent = open_token(token, keyring.keys, self.unpack)
        except BadToken as error:
            raise _Refused(TokenRefusal.NOT_OPENED) from error
        state = keyring.states[key.key_id]
        if state is KeyState.REVOKED:
            raise _Refused(TokenRefusal.REVOKED)
        if not keyring.serves(key.tenant_id, request.headers[b"host"]):
            raise _Refused(TokenRefusal.HOST)
        link = self.links.find(link_key(key.tenant_id, sent.link_id))
        if link is None:
            raise _Refused(TokenRefusal.UNKNOWN_LINK)
        language = keyring.language_of(key.tenant_id)
        opened = OpenedLink(request, token, key.tenant_id, key.key_id, state, sent, link, language)
        return opened._replace(override=self._override(opened)) if link.may_be_overridden else opened

    def _override(self, opened: OpenedLink) -> bytes | None:
        link = opened.link.link
        return self.return_urls.find(
            link.tenant_id, link.link_id, opened.sent.recipient_id, epoch=link.epoch, now_ms=self.now_ms()
        )

    def _answer(self, opened: OpenedLink, *, is_done: bool) -> Answer:
        if is_done:
            return page_answers.after_button(opened)
        if opened.state is KeyState.ANSWER_ONLY:
            return _without_click(opened)
        if opened.request.method == "POST":
            return self._posted(opened)
        answer = self._shown(opened)
        return answer.without_click() if opened.request.method == "HEAD" else answer

    def _shown(self, opened: OpenedLink) -> Answer:
        """Answer a GET, whose click is not confirmed."""
        click_id, location = self.new_click_id(), opened.location
        if opened.link.form is not None:
            answer = page_answers.form(opened, opened.link.form, click_id)
            if not self._may_prefill(opened):
                answer = answer._replace(prefill=None)
        elif opened.link.guarded_actions:
            answer = page_answers.confirmation(opened, click_id, location)
        elif location is None:
            answer = page_answers.text(opened)
        else:
            answer = _redirect(HTTPStatus.FOUND, location)
        needs_record = opened.link.has_actions or answer.kind is not AnswerKind.REDIRECT
        click = RecordedClick(
            click_id,
            opened.token,
            (self.encoder.encode(self._click(opened, click_id, location)),),
            unrecorded=partial(page_answers.not_recorded, opened) if needs_record else None,
        )
        return answer.with_click(click, opened.key_id)

    def _may_prefill(self, opened: OpenedLink) -> bool:
        """Return whether the message is recent: it may have been forwarded, and an old one is rarely opened again."""
        sent_at_ms = opened.sent.sent_at_ms
        return sent_at_ms is not None and self.now_ms() - sent_at_ms <= PREFILL_MS

    def _posted(self, opened: OpenedLink) -> Answer:
        """Answer a POST, whose click is confirmed. RFC 8058 forbids a redirect after its one-click POST."""
        posted = page_answers.read_post(opened)
        if isinstance(posted, Answer):
            return posted
        location = opened.location
        if posted.is_one_click:
            answer = Answer(AnswerKind.ONE_CLICK, HTTPStatus.OK, COMMON_HEADERS)
        else:
            answer = _redirect(HTTPStatus.SEE_OTHER, location or f"{opened.path}/done".encode())
        page = posted.page_click_id
        click_id = self.new_click_id() if page is None else str(uuid5(CONFIRMED_CLICKS, str(page)))
        click = self._click(opened, click_id, location)._replace(
            is_confirmed=True, page_click_id=None if page is None else str(page)
        )
        refusal = partial(page_answers.not_recorded, opened, posted)
        records = self._records(opened, click, posted)
        recorded = RecordedClick(click_id, opened.token, records, unrecorded=refusal, rate_limited=refusal)
        return answer.with_click(recorded, opened.key_id)

    def _records(
        self, opened: OpenedLink, click: AnsweredClick, posted: page_answers.Posted
    ) -> tuple[SpooledRecord, ...]:
        """Return the click and, before it, the answers of a form: no click says that a form was sent which is lost."""
        form, encoded = opened.link.form, self.encoder.encode(click)
        if form is None or posted.is_one_click or click.sent.is_test:
            return (encoded,)
        return (self.forms.encode(click, form.form_id, posted.answers), encoded)

    def _click(self, opened: OpenedLink, click_id: str, location: bytes | None) -> AnsweredClick:
        request = opened.request
        headers = request.headers
        forwarded_for = headers.get(b"x-forwarded-for")
        return AnsweredClick(
            opened.tenant_id,
            opened.sent,
            opened.link.link.version,
            click_id,
            self.now_ms(),
            request.method,
            headers,
            client_of(request.peer, forwarded_for, self.trusted_proxies, self.network_classes()),
            location,
        )


def _without_link(request: Request) -> Answer | None:
    """Answer what does not depend on a link; None if it does."""
    if request.method not in {"GET", "HEAD", "POST"}:
        status = HTTPStatus.NO_CONTENT if request.method == "OPTIONS" else HTTPStatus.METHOD_NOT_ALLOWED
        return Answer(AnswerKind.OTHER, status, ((b"allow", _METHODS), *COMMON_HEADERS))
    if b"host" not in request.headers:
        return Answer(AnswerKind.OTHER, HTTPStatus.BAD_REQUEST, COMMON_HEADERS)
    if request.method != "POST" and _is_speculative(request):
        return Answer(AnswerKind.SPECULATION, HTTPStatus.SERVICE_UNAVAILABLE, COMMON_HEADERS)
    if request.path == b"/robots.txt":
        headers = ((b"content-type", b"text/plain"), *COMMON_HEADERS)
        return Answer(AnswerKind.OTHER, HTTPStatus.OK, headers, b"User-agent: *\nDisallow: /\n")
    return None


def _is_speculative(request: Request) -> bool:
    headers = request.headers
    if _SPECULATION.isdisjoint(headers):
        return False
    return any(_SPECULATIVE.search(headers[name]) for name in _SPECULATION if name in headers)


def _without_click(opened: OpenedLink) -> Answer:
    """Answer a link whose key has leaked: it redirects or shows its text, but no click is recorded and no form sent."""
    if opened.request.method == "POST":
        return page_answers.not_valid(opened.language)
    if opened.location is not None:
        return _redirect(HTTPStatus.FOUND, opened.location)
    return page_answers.not_valid(opened.language) if opened.link.form else page_answers.text(opened)


@lru_cache(maxsize=_REMEMBERED)
def _redirect(status: HTTPStatus, location: bytes) -> Answer:
    return Answer(AnswerKind.REDIRECT, status, ((b"location", location), *COMMON_HEADERS))


def _language(request: Request) -> str:
    return page_language(request.headers.get(b"accept-language"), None)
