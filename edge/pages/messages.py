"""The pages' own words, a file per language."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

TRANSLATIONS = files("edge.pages") / "translations"


@dataclass(frozen=True, slots=True)
class Messages:
    """The words of one language as plain text; `{placeholders}` are filled in by the page.

    `field_errors` has a sentence for each `FieldError`.
    """

    language: str
    confirm_title: str
    confirm_link: str
    confirm_effects: str
    confirm_button: str
    confirm_without: str
    form_title: str
    form_required: str
    form_choose: str
    form_button: str
    form_errors_title: str
    form_errors: str
    error_prefix: str
    thank_you_title: str
    thank_you_text: str
    not_valid_title: str
    not_valid_text: str
    not_ready_title: str
    not_ready_text: str
    try_again_title: str
    try_again_text: str
    try_again_button: str
    other_action: str
    field_errors: Mapping[str, str]


@cache
def messages_in(language: str) -> Messages:
    """Return the words of a language of `LANGUAGES`. Raises TypeError if its file lacks a word or has one more."""
    text = (TRANSLATIONS / f"{language}.toml").read_text(encoding="utf-8")
    return Messages(language=language, **tomllib.loads(text))
