"""Answers that are pages, with their headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from actions.kind import ClickFacts
from actions.response import Form
from edge.exchange import Answer, AnswerKind
from edge.opened_link import OpenedLink
from edge.pages.confirmation import confirmation_page
from edge.pages.effects import effect_of
from edge.pages.form_answers import BadBody, read_form
from edge.pages.form_page import form_page
from edge.pages.headers import ANY_ORIGIN, headers_of_page
from edge.pages.layout import PAGE_CLICK_ID
from edge.pages.markup import Html
from edge.pages.notices import (
    done_page,
    not_ready_page,
    not_valid_page,
    text_page,
    thank_you_page,
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
    form_values: Mapping[str, str] | None = None
    """The answers of a form; None if the link has no form."""


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


def form(opened: OpenedLink, click_id: str, form: Form) -> Answer:
    """Answer with an empty form."""
    body = form_page(opened.language, form.fields, path=opened.path, page_click_id=click_id, values={})
    return Answer(AnswerKind.FORM, HTTPStatus.OK, _HEADERS, body)


def result(opened: OpenedLink) -> Answer:
    """Answer with what follows a button that was pressed: the link's text, else a page that says that it is done."""
    if opened.link.text is not None:
        return text(opened)
    if opened.link.form is not None:
        body = thank_you_page(opened.language)
    else:
        target = opened.link.location
        body = done_page(opened.language, None if target is None else target.decode())
    return Answer(AnswerKind.RESULT, HTTPStatus.OK, _HEADERS, body)


def read_post(opened: OpenedLink) -> Posted | Answer:
    """Read the body of a POST; return an answer if the person must change something, or if it is no body of ours."""
    request = opened.request
    content_type = request.headers.get(b"content-type", b"").decode("latin-1")
    if is_one_click(content_type, request.body):
        return Posted(is_one_click=True)
    form = opened.link.form
    try:
        read = read_form(content_type, request.body, form.fields if form else ())
    except BadBody:
        return Answer(AnswerKind.OTHER, HTTPStatus.BAD_REQUEST, _HEADERS, not_valid_page(opened.language))
    if form is not None and read.errors:
        page_click_id = read.page_click_id or ""
        body = form_page(
            opened.language,
            form.fields,
            path=opened.path,
            page_click_id=page_click_id,
            values=read.values,
            errors=read.errors,
        )
        return Answer(AnswerKind.FORM, HTTPStatus.UNPROCESSABLE_ENTITY, _HEADERS, body)
    page = None if read.page_click_id is None else UUID(read.page_click_id)
    return Posted(page_click_id=page, form_values=read.values if form else None)


def _fields_of(posted: Posted | None) -> Mapping[str, str] | None:
    """Return the fields to post again; None for a GET."""
    if posted is None:
        return None
    page = {} if posted.page_click_id is None else {PAGE_CLICK_ID: str(posted.page_click_id)}
    return {**(posted.form_values or {}), **page}


def _facts(opened: OpenedLink) -> ClickFacts:
    """Return what placeholders in the words of an action stand for; the page is not a click yet."""
    return ClickFacts(opened.sent.mailing_id, opened.sent.flow_id, clicked_at=0, link_hits=0)
