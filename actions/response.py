"""The response to the person's browser: exactly one of a redirect, a text or a form."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PREFILL_FIELDS = (
    "first_name", "last_name", "name", "title", "email", "phone", "mobile", "company", "department", "address", "city",
    "postal_code", "country", "language",
)  # fmt: skip
"""Facts about a person that a form can be prefilled with, by name."""


class RedirectCondition(StrEnum):
    """The conditions of redirect rules; the words of link files and of the wire."""

    PERSON_KNOWN = "person_known"
    COMPANY_KNOWN = "company_known"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class RedirectRule:
    """Another URL for the clicks that the condition describes.

    `language` is the language tag of the condition `language`, such as nl or pt-BR (BCP 47), and None for the others.
    Raises ValueError where the two do not fit.
    """

    when: RedirectCondition
    url: str
    language: str | None = None

    def __post_init__(self) -> None:
        if (self.when is RedirectCondition.LANGUAGE) != bool(self.language):
            raise ValueError(f"a language belongs to the condition language and to no other; this one is {self.when}")


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the browser on to an absolute URL: that of the first rule that applies, else `url`."""

    url: str
    rules: tuple[RedirectRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """Show rich text (HTML)."""

    text: str


class FormFieldType(StrEnum):
    """The types of form fields; the words of link files and of the wire."""

    TEXT = "text"
    MULTILINE = "multiline"
    EMAIL = "email"
    TEL = "tel"
    NUMBER = "number"
    DATE = "date"
    CHECKBOX = "checkbox"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form.

    `autocomplete` is an autofill field name of the HTML standard; `options` are the answers of a choice, and empty for
    every other type. Raises ValueError where type and options do not fit.
    """

    name: str
    label: str
    type: FormFieldType = FormFieldType.TEXT
    required: bool = False
    autocomplete: str | None = None
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.type is FormFieldType.CHOICE) != bool(self.options):
            raise ValueError(f"options belong to the type choice and to no other; this one is {self.type}")


@dataclass(frozen=True, slots=True)
class Form:
    """Show a form. `prefill` names the facts about the person that are filled in; names of `fields` are distinct.

    Raises ValueError if two fields have the same name.
    """

    form_id: str
    prefill: tuple[str, ...] = ()
    fields: tuple[FormField, ...] = ()

    def __post_init__(self) -> None:
        if len({field.name for field in self.fields}) < len(self.fields):
            raise ValueError("two fields of the form have the same name")


Response = Redirect | Text | Form

Record = tuple[str, Mapping[str, Any]]
"""A branch of a union of records, as the codec reads and writes it: full name and fields."""


def record_from_response(response: Response) -> tuple[str, dict[str, Any]]:
    """Return the response as its branch of the union in `LinkDefined`; rules and fields are left out if empty."""
    match response:
        case Redirect(url, rules):
            with_rules = {"rules": [_record_from_rule(rule) for rule in rules]} if rules else {}
            return "link_actions.RedirectResponse", {"url": url, **with_rules}
        case Text(text):
            return "link_actions.TextResponse", {"text": text}
        case Form(form_id, prefill, fields):
            with_fields = {"fields": [_record_from_field(field) for field in fields]} if fields else {}
            return "link_actions.FormResponse", {"form_id": form_id, "prefill": list(prefill), **with_fields}


def response_from_record(record: Record) -> Response:
    """Read a branch of the union in `LinkDefined`.

    Raises KeyError for one that is not known, and ValueError for a condition or field type that is not known.
    """
    name, fields = record
    if name == "link_actions.RedirectResponse":
        return Redirect(fields["url"], tuple(map(_rule, fields.get("rules", ()))))
    if name == "link_actions.TextResponse":
        return Text(fields["text"])
    if name == "link_actions.FormResponse":
        return Form(fields["form_id"], tuple(fields["prefill"]), tuple(map(_field, fields.get("fields", ()))))
    raise KeyError(name)


def _rule(record: Mapping[str, Any]) -> RedirectRule:
    return RedirectRule(RedirectCondition(record["when"]), record["url"], record["language"])


def _record_from_rule(rule: RedirectRule) -> dict[str, Any]:
    return {"when": rule.when.value, "language": rule.language, "url": rule.url}


def _field(record: Mapping[str, Any]) -> FormField:
    return FormField(
        name=record["name"],
        label=record["label"],
        type=FormFieldType(record["type"]),
        required=record["required"],
        autocomplete=record["autocomplete"],
        options=tuple(record["options"]),
    )


def _record_from_field(field: FormField) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type.value,
        "required": field.required,
        "autocomplete": field.autocomplete,
        "options": list(field.options),
    }
