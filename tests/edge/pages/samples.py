"""Every page with sensible values; a test names only what it is about."""

from collections.abc import Mapping

from actions.response import FormField, FormFieldType
from edge.pages.confirmation import confirmation_page
from edge.pages.form_answers import FieldError
from edge.pages.form_page import form_page
from edge.pages.markup import Html, filled, isolated
from edge.pages.notices import not_ready_page, not_valid_page, text_page, thank_you_page, try_again_page

CLICK_ID = "0190e4b6-3f00-7a2c-8f6b-1d2e3c4b5a69"
PATH = "/l/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhc"
TARGET = "https://example.com/spring?size=l&colour=red#offer"
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
TEXT = Html(
    f"<h2>Come and see</h2><p>{LONG * 3}</p><ul><li>One</li></ul>"
    '<p><a href="https://example.com/a">Read more</a></p><table width="900"><tr><td>1</td><td>2</td></tr></table>'
)

FIELDS = (
    FormField("name", "Name", required=True, autocomplete="name"),
    FormField("email", "E-mail", FormFieldType.EMAIL, required=True, autocomplete="email"),
    FormField("phone", "Telephone", FormFieldType.TEL, autocomplete="tel"),
    FormField("people", "Number of people", FormFieldType.NUMBER),
    FormField("day", "Day", FormFieldType.DATE),
    FormField("size", "Size", FormFieldType.CHOICE, options=("Small", "Large", LONG)),
    FormField("remarks", "Remarks", FormFieldType.MULTILINE),
    FormField("terms", "I agree to the terms", FormFieldType.CHECKBOX, required=True),
)
VALUES = {"name": "Ann", "email": "ann@example.com", "size": "Large", "remarks": "One\nTwo", "terms": "true"}
ERRORS = {
    "email": FieldError.EMAIL,
    "people": FieldError.NUMBER,
    "size": FieldError.CHOICE,
    "remarks": FieldError.TOO_LONG,
    "terms": FieldError.CHECKBOX,
}


def a_confirmation(language: str = "en", *, link_name: str = "Spring offer", path: str = PATH) -> bytes:
    effects = [filled("The interest “{interest}” goes.", {"interest": isolated(link_name)})]
    return confirmation_page(
        language, link_name=link_name, effects=effects, path=path, page_click_id=CLICK_ID, target_url=TARGET
    )


def a_form(
    language: str = "en", *, values: Mapping[str, str] = VALUES, errors: Mapping[str, FieldError] | None = None
) -> bytes:
    return form_page(language, FIELDS, path=PATH, page_click_id=CLICK_ID, values=values, errors=errors)


def all_pages(language: str) -> dict[str, bytes]:
    return {
        "text": text_page(language, TEXT, title="Spring offer"),
        "confirmation": a_confirmation(language),
        "form": a_form(language),
        "form with errors": a_form(language, errors=ERRORS),
        "thank you": thank_you_page(language),
        "not valid": not_valid_page(language),
        "not ready": not_ready_page(language, PATH),
        "try again": try_again_page(language, PATH),
        "send again": try_again_page(language, PATH, {"page_click_id": CLICK_ID} | VALUES),
    }
