"""The body of a POST: a form's answers, or the one-click unsubscribe of RFC 8058."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import parse_qsl

from actions.response import FormField, FormFieldType
from edge.pages.layout import PAGE_CLICK_ID

MAX_BODY_BYTES = 65_536
MAX_ANSWER_CHARACTERS = 10_000
CHECKED, UNCHECKED = "true", "false"
"""The answers of a checkbox."""

_SPARE_PAIRS = 20
"""Pairs besides the form's fields that a body may have: browser extensions add some."""
_MAX_EMAIL_CHARACTERS = 254
_CONTROL = re.compile(r"[\x00-\x1f]")
_CONTROL_IN_LINES = re.compile(r"[\x00-\x08\x0b-\x1f]")
_CLICK_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
"""A valid e-mail address and, below, floating-point number of the HTML standard: what browsers accept."""
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadBody(Exception):
    """A body that no form of ours sends. The message holds nothing of it."""


class FieldError(StrEnum):
    """The mistakes of an answer; the keys of `Messages.field_errors`."""

    REQUIRED = "required"
    EMAIL = "email"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    CHECKBOX = "checkbox"
    TOO_LONG = "too_long"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class FormAnswers:
    """The content of a POST: an answer for every field of the form, the errors by field name, the page's click id.

    `page_click_id` is None if the body has no valid one.
    """

    values: Mapping[str, str]
    errors: Mapping[str, FieldError]
    page_click_id: str | None


def read_form(content_type: str | None, body: bytes, fields: Sequence[FormField]) -> FormAnswers:
    """Read the POST of a form page, or without fields that of a confirmation page.

    Other pairs than those of the fields are ignored. Line breaks become line feeds; answers on one line lose blanks at
    their ends; a missing answer is empty. Raises BadBody.
    """
    pairs = _pairs(content_type, body, len(fields) + _SPARE_PAIRS)
    known = {field.name for field in fields} | {PAGE_CLICK_ID}
    given = [pair for pair in pairs if pair[0] in known]
    found = dict(given)
    if len(found) < len(given):
        raise BadBody("a field is there twice")
    values = {field.name: _answer(field, found.get(field.name, "")) for field in fields}
    checked = {field.name: _error(field, values[field.name]) for field in fields}
    errors = {name: error for name, error in checked.items() if error is not None}
    click_id = found.get(PAGE_CLICK_ID, "")
    return FormAnswers(values, errors, click_id if _CLICK_ID.fullmatch(click_id) else None)


def media_type(content_type: str | None) -> str:
    """Return the media type in lower case, without parameters; empty for a missing header."""
    return (content_type or "").partition(";")[0].strip().lower()


def _pairs(content_type: str | None, body: bytes, most: int) -> list[tuple[str, str]]:
    if media_type(content_type) != "application/x-www-form-urlencoded":
        raise BadBody("the body is not application/x-www-form-urlencoded")
    if len(body) > MAX_BODY_BYTES:
        raise BadBody(f"the body is larger than {MAX_BODY_BYTES} bytes")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=most)
    except UnicodeDecodeError as error:
        raise BadBody("the body is not UTF-8") from error
    except ValueError as error:
        raise BadBody(f"the body has more than {most} fields") from error


def _answer(field: FormField, text: str) -> str:
    lines = text.replace("\r\n", "\n")
    if field.type is FormFieldType.MULTILINE:
        return lines
    if field.type is FormFieldType.CHECKBOX:
        return lines or UNCHECKED
    return lines if field.type is FormFieldType.CHOICE else lines.strip(" \t")


def _error(field: FormField, value: str) -> FieldError | None:
    controls = _CONTROL_IN_LINES if field.type is FormFieldType.MULTILINE else _CONTROL
    if controls.search(value):
        return FieldError.CONTROL
    if len(value) > MAX_ANSWER_CHARACTERS:
        return FieldError.TOO_LONG
    if not value.strip():
        return FieldError.REQUIRED if field.required else None
    return _type_error(field, value)


def _type_error(field: FormField, value: str) -> FieldError | None:
    match field.type:
        case FormFieldType.EMAIL if len(value) > _MAX_EMAIL_CHARACTERS or not _EMAIL.fullmatch(value):
            return FieldError.EMAIL
        case FormFieldType.NUMBER if not _NUMBER.fullmatch(value):
            return FieldError.NUMBER
        case FormFieldType.DATE if not _is_date(value):
            return FieldError.DATE
        case FormFieldType.CHOICE if value not in field.options:
            return FieldError.CHOICE
        case FormFieldType.CHECKBOX if value != CHECKED and (field.required or value != UNCHECKED):
            return FieldError.CHECKBOX
        case _:
            return None


def _is_date(value: str) -> bool:
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
