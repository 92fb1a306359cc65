"""The response to the person's browser: exactly one of a redirect, a text or a form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFILL_FIELDS = (
    "first_name", "last_name", "name", "title", "email", "phone", "mobile", "company", "department", "address", "city",
    "postal_code", "country", "language",
)  # fmt: skip
"""Facts about a person that a form can be prefilled with, by name."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the browser on to an absolute URL."""

    url: str


@dataclass(frozen=True, slots=True)
class Text:
    """Show rich text (HTML)."""

    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """Show a form, with these fields filled in from what is known of the person."""

    form_id: str
    prefill: tuple[str, ...] = ()


Response = Redirect | Text | Form

Record = tuple[str, Mapping[str, Any]]
"""A branch of a union of records, as the codec reads and writes it: full name and fields."""


def record_from_response(response: Response) -> tuple[str, dict[str, Any]]:
    """Return the response as its branch of the union in `LinkDefined`."""
    match response:
        case Redirect(url):
            return "link_actions.RedirectResponse", {"url": url}
        case Text(text):
            return "link_actions.TextResponse", {"text": text}
        case Form(form_id, prefill):
            return "link_actions.FormResponse", {"form_id": form_id, "prefill": list(prefill)}


def response_from_record(record: Record) -> Response:
    """Read a branch of the union in `LinkDefined`. Raises KeyError for one that is not known."""
    name, fields = record
    if name == "link_actions.RedirectResponse":
        return Redirect(fields["url"])
    if name == "link_actions.TextResponse":
        return Text(fields["text"])
    if name == "link_actions.FormResponse":
        return Form(fields["form_id"], tuple(fields["prefill"]))
    raise KeyError(name)
