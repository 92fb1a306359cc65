"""Answers that are pages, with their headers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID

from actions.kind import ClickFacts
from actions.response import Form
from edge.exchange import Answer, AnswerKind, Prefill
from edge.opened_link import OpenedLink
from edge.pages.confirmation import confirmation_page
from edge.pages.effects import effect_of
from edge.pages.form_answers import BadBody, FieldError, FormAnswers, read_form
from edge.pages.form_page import form_page
from edge.pages.headers import ANY_ORIGIN, headers_of_page
from edge.pages.layout import PAGE_CLICK_ID
from edge.pages.markup import Html
from edge.pages.notices import not_ready_page, not_valid_page, text_page, thank_you_page, try_again_page
from edge.pages.one_click import is_one_click

_HEADERS = tuple(headers_of_page())
_HEADERS_TO_ANY_ORIGIN = tuple(headers_of_page(ANY_ORIGIN))
"""Headers of a page whose button leads to the target, which may redirect to any origin itself."""


@dataclass(frozen=True, slots=True)
class Posted:
    """The body of a POST.

    `page_click_id` is that of the page whose button was pressed, if the body names one; `answers` are those of a form.
    """

    is_one_click: bool = False
    page_click_id: UUID | None = None
    answers: Mapping[str, str] = field(default_factory=dict)


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
    target = None if location is None else location.decode()
    body = confirmation_page(
        opened.language,
        link_name=opened.link.link.name,
        effects=_effects(opened),
        path=opened.path,
        page_click_id=click_id,
        target_url=target,
    )
    return Answer(AnswerKind.CONFIRMATION, HTTPStatus.OK, _HEADERS if target is None else _HEADERS_TO_ANY_ORIGIN, body)


def form(opened: OpenedLink, form: Form, page_click_id: str) -> Answer:
    """Answer with a form; what its author wants prefilled is filled in if the message is recent enough."""

    def fill(facts: Mapping[str, str]) -> Answer:
        return Answer(AnswerKind.FORM, HTTPStatus.OK, _HEADERS, _form_page(opened, form, page_click_id, facts))

    person_id, names = opened.sent.person_id, tuple(field.name for field in form.fields if field.name in form.prefill)
    answer = fill({})
    if person_id is None or not names:
        return answer
    return answer._replace(prefill=Prefill(opened.tenant_id, person_id, names, fill))


def form_errors(opened: OpenedLink, form: Form, answers: FormAnswers) -> Answer:
    """Answer a form with mistakes: the same form as it was filled in, and what to change."""
    body = _form_page(opened, form, answers.page_click_id or "", answers.values, errors=answers.errors)
    return Answer(AnswerKind.FORM, HTTPStatus.UNPROCESSABLE_ENTITY, _HEADERS, body)


def after_button(opened: OpenedLink) -> Answer:
    """Answer with the page after a button that was pressed: the link's text, or thanks for its form's answers.

    The button of a redirect leads to its target, so a redirect has no such page.
    """
    if opened.link.text is not None:
        return text(opened)
    if opened.link.form is not None:
        return Answer(AnswerKind.THANKS, HTTPStatus.OK, _HEADERS, thank_you_page(opened.language))
    return not_valid(opened.language)


def read_post(opened: OpenedLink) -> Posted | Answer:
    """Read the body of a POST; return an answer if it is no body of ours."""
    request = opened.request
    content_type = request.headers.get(b"content-type", b"").decode("latin-1")
    if is_one_click(content_type, request.body):
        return Posted(is_one_click=True)
    form = opened.link.form
    try:
        read = read_form(content_type, request.body, () if form is None else form.fields)
    except BadBody:
        return Answer(AnswerKind.OTHER, HTTPStatus.BAD_REQUEST, _HEADERS, not_valid_page(opened.language))
    if form is not None and read.errors:
        return form_errors(opened, form, read)
    return Posted(page_click_id=UUID(read.page_click_id) if read.page_click_id else None, answers=read.values)


def _fields_of(posted: Posted | None) -> Mapping[str, str] | None:
    """Return the fields to post again; None for a GET."""
    if posted is None:
        return None
    page = {} if posted.page_click_id is None else {PAGE_CLICK_ID: str(posted.page_click_id)}
    return {**posted.answers, **page}


def _form_page(
    opened: OpenedLink,
    form: Form,
    page_click_id: str,
    values: Mapping[str, str],
    *,
    errors: Mapping[str, FieldError] | None = None,
) -> bytes:
    return form_page(
        opened.language,
        form.fields,
        path=opened.path,
        page_click_id=page_click_id,
        values=values,
        errors=errors,
        effects=_effects(opened),
    )


def _effects(opened: OpenedLink) -> list[Html]:
    """Return a sentence for each action that needs a confirmation."""
    facts = opened.link.link.facts
    return [effect_of(action, facts, _facts(opened), opened.language) for action in opened.link.guarded_actions]


def _facts(opened: OpenedLink) -> ClickFacts:
    """Return what placeholders in the words of an action stand for; the page is not a click yet."""
    return ClickFacts(opened.sent.mailing_id, opened.sent.flow_id, clicked_at=0, link_hits=0)
