"""Pydantic models of a form and its fields."""

import re
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from actions.response import PREFILL_FIELDS, Form, FormField, FormFieldType
from runtime.authoring.entry import Entry
from runtime.authoring.field_types import Name, WrittenId

MAX_FIELDS = 50
MAX_OPTIONS = 100
AUTOFILL_NAMES = (
    "off", "on", "name", "honorific-prefix", "given-name", "additional-name", "family-name", "honorific-suffix",
    "nickname", "username", "organization-title", "organization", "street-address", "address-line1", "address-line2",
    "address-line3", "address-level4", "address-level3", "address-level2", "address-level1", "country", "country-name",
    "postal-code", "language", "bday", "bday-day", "bday-month", "bday-year", "sex", "url", "photo", "tel",
    "tel-country-code", "tel-national", "tel-area-code", "tel-local", "tel-local-prefix", "tel-local-suffix",
    "tel-extension", "email", "impp",
)  # fmt: skip
"""Autofill field names of the HTML Living Standard, section 4.10.18.7.1, without those for passwords, one-time codes,
payment cards and sums: a mail should not ask for those, and answers are not encrypted."""

_RESERVED = "page_click_id"
"""The field that the edge adds to every form."""
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def _check_field_name(text: str) -> str:
    if not _FIELD_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a field name; use a letter, then at most 63 letters, digits, '_' and '-'")
    if text == _RESERVED:
        raise ValueError(f"every form has a field {text} already; choose another name")
    return text


def _check_autocomplete(text: str) -> str:
    if text not in AUTOFILL_NAMES:
        near = get_close_matches(text, AUTOFILL_NAMES, n=1)
        hint = f"did you mean {near[0]}?" if near else "write one such as email, given-name or tel, or remove it"
        raise ValueError(f"{text!r} is not an autofill field name of HTML that a form may use; {hint}")
    return text


def _check_options(options: list[str]) -> list[str]:
    twice = next((option for option in options if options.count(option) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice!r} is written twice; keep one of them")
    return options


FieldName = Annotated[
    str, AfterValidator(_check_field_name), WithJsonSchema({"type": "string", "pattern": f"^{_FIELD_NAME.pattern}$"})
]
AutofillName = Annotated[str, AfterValidator(_check_autocomplete), WithJsonSchema({"enum": list(AUTOFILL_NAMES)})]


class FieldEntry(Entry):
    """One field of a form: the answer has its `name`, people see its `label`."""

    name: FieldName
    label: Name
    type: Literal["text", "multiline", "email", "tel", "number", "date", "checkbox", "choice"] = "text"
    required: bool = False
    autocomplete: AutofillName | None = None
    options: Annotated[list[Name], Field(max_length=MAX_OPTIONS), AfterValidator(_check_options)] = Field(default=[])

    @model_validator(mode="after")
    def _options_fit_type(self) -> "FieldEntry":
        if self.type == "choice" and not self.options:
            raise ValueError("a choice needs options; write options: [S, M, L]")
        if self.type != "choice" and self.options:
            raise ValueError(
                f"options belong to the type choice, not to {self.type}; write type: choice or remove them"
            )
        return self

    def to_field(self) -> FormField:
        """Return the field of a form."""
        return FormField(
            name=self.name,
            label=self.label,
            type=FormFieldType(self.type),
            required=self.required,
            autocomplete=self.autocomplete,
            options=tuple(self.options),
        )


def _check_fields(fields: list[FieldEntry]) -> list[FieldEntry]:
    names = [field.name for field in fields]
    for number, name in enumerate(names, 1):
        first = names.index(name) + 1
        if first < number:
            raise ValueError(f"fields {first} and {number} have the same name {name}; give each its own")
    return fields


class FormEntry(Entry):
    """A form with its fields, and the facts about the person to prefill them with."""

    id: WrittenId
    prefill: Annotated[list[WrittenId], Field(examples=[list(PREFILL_FIELDS)])] = Field(default=[])
    fields: Annotated[list[FieldEntry], Field(max_length=MAX_FIELDS), AfterValidator(_check_fields)] = Field(default=[])

    def to_form(self) -> Form:
        """Return the form."""
        return Form(self.id, tuple(self.prefill), tuple(field.to_field() for field in self.fields))
