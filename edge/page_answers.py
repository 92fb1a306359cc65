"""Answers that are pages, with their headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from actions.kind import ClickFacts
from edge.exchange import Answer, AnswerKind
from edge.opened_link import OpenedLink
from edge.pages.confirmation import confirmation_page
from edge.pages.effects import effect_of
from edge.pages.form_answers import BadBody, read_form
from edge.pages.headers import ANY_ORIGIN, headers_of_page
from edge.pages.layout import PAGE_CLICK_ID
from edge.pages.markup import Html
from edge.pages.notices import (
    done_page,
    not_ready_page,
    not_valid_page,
    text_page,
    try_again_page,
)
from edge.pages.one_click import is_one_click

_HEADERS = tuple(headers_of_page())
_LEADING_ON = tuple(headers_of_page(ANY_ORIGIN))
"""Headers of a page whose button leads to the target, which may redirect to any origin itself."""


@dataclass(frozen=True, slots=True)
class Posted:
    """The body of a POST. `page_click_id` is that of the page whose button was pressed, if the body names one."""

    is_one_click: bool = False
    page_click_id: UUID | None = None


def not_valid(language: str) -> Answer:
    """Answer a link that is not valid, for whatever reason."""
    return Answer(AnswerKind.NOT_VALID, HTTPStatus.NOT_FOUND, _HEADERS, not_valid_page(language))


def not_ready(language: str, path: str) -> Answer:
    """Answer a link that this edge cannot read yet."""
    return Answer(AnswerKind.NOT_READY, HTTPStatus.SERVICE_UNAVAILABLE, _HEADERS, not_ready_page(language, path))


def not_recorded(opened: OpenedLink, posted: Posted | None = None) -> Answer:
    """Answer a click that could not be kept: nothing was done, and the person may try again."""
    fields = _fields_of(posted)
    body = try_again_page(opened.language, opened.path, fields)
    return Answer(AnswerKind.NOT_RECORDED, HTTPStatus.SERVICE_UNAVAILABLE, _HEADERS, body)


def text(opened: OpenedLink) -> Answer:
    """Answer with the text of the link."""
    body = text_page(opened.language, Html(opened.link.text or ""), title=opened.link.link.name)
    return Answer(AnswerKind.TEXT, HTTPStatus.OK, _HEADERS, body)


def confirmation(opened: OpenedLink, click_id: str, location: bytes | None) -> Answer:
    """Answer with the actions that need a confirmation, and a button."""
    link, target = opened.link.link, None if location is None else location.decode()
    body = confirmation_page(
        opened.language,
        link_name=link.name,
        effects=[effect_of(action, link.facts, _facts(opened), opened.language) for action in opened.link.to_confirm],
        path=opened.path,
        page_click_id=click_id,
        target_url=target,
    )
    return Answer(AnswerKind.CONFIRMATION, HTTPStatus.OK, _HEADERS if target is None else _LEADING_ON, body)


def result(opened: OpenedLink) -> Answer:
    """Answer with what follows a button that was pressed: the link's text, else a page that says that it is done."""
    if opened.link.text is not None:
        return text(opened)
    target = opened.link.location
    body = done_page(opened.language, None if target is None else target.decode())
    return Answer(AnswerKind.RESULT, HTTPStatus.OK, _HEADERS, body)


def read_post(opened: OpenedLink) -> Posted | Answer:
    """Read the body of a POST; return an answer if it is no body of ours."""
    request = opened.request
    content_type = request.headers.get(b"content-type", b"").decode("latin-1")
    if is_one_click(content_type, request.body):
        return Posted(is_one_click=True)
    try:
        read = read_form(content_type, request.body, ())
    except BadBody:
        return Answer(AnswerKind.OTHER, HTTPStatus.BAD_REQUEST, _HEADERS, not_valid_page(opened.language))
    return Posted(page_click_id=None if read.page_click_id is None else UUID(read.page_click_id))


def _fields_of(posted: Posted | None) -> Mapping[str, str] | None:
    """Return the fields to post again; None for a GET."""
    if posted is None:
        return None
    return {} if posted.page_click_id is None else {PAGE_CLICK_ID: str(posted.page_click_id)}


def _facts(opened: OpenedLink) -> ClickFacts:
    """Return what placeholders in the words of an action stand for; the page is not a click yet."""
    return ClickFacts(opened.sent.mailing_id, opened.sent.flow_id, clicked_at=0, link_hits=0)
