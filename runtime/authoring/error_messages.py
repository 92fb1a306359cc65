"""Turns errors of pydantic into messages that tell an author what to write instead."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from runtime.terminal.value_problem import problem_of

Details = dict[str, Any]
"""One item of `ValidationError.errors()`."""


def error_message(details: Details, *, text: str | None, known_keys: Iterable[str]) -> str:
    """Return what is wrong with one value and what to write.

    `text` is the text of the value if it is a scalar; `known_keys` are the keys allowed at its location.
    """
    name = _label(details["loc"])
    explain = _EXPLANATIONS.get(details["type"])
    if explain is not None:
        return explain(name, details, text)
    if details["type"] == "extra_forbidden":
        return _unknown_key(name, sorted(known_keys))
    return f"{name} is wrong: {problem_of(details)}"


def _unknown_key(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"{name} is not known here; {hint}"


def _missing(name: str, _details: Details, _text: str | None) -> str:
    return f"{name} is missing; add it"


def _no_text(name: str, details: Details, text: str | None) -> str:
    value = details["input"]
    if isinstance(value, dict | list) or text is None:
        return f"{name} must be text; write a word or a sentence in quotes"
    if value is None:
        return f"{name} has no value; write one or remove the line"
    return f'{name} must be text, but YAML reads {text} as another type; put it in quotes: "{text}"'


def _no_choice(name: str, details: Details, text: str | None) -> str:
    expected = str(details["ctx"]["expected"]).replace("'", "")
    return f"{name} must be {expected}, not {text or 'another type'}"


def _wrong_kind(_name: str, details: Details, _text: str | None) -> str:
    known = [kind.strip().strip("'") for kind in details["ctx"]["expected_tags"].split(",")]
    tag = str(details["ctx"]["tag"])
    near = get_close_matches(tag, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"{tag} is not a kind of action; {hint}"


def _no_kind(_name: str, _details: Details, _text: str | None) -> str:
    return "kind is missing; add one, for example kind: interest"


def _no_boolean(name: str, _details: Details, text: str | None) -> str:
    return f"{name} must be true or false, not {text or 'another type'}"


def _no_integer(name: str, _details: Details, text: str | None) -> str:
    return f"{name} must be a whole number without quotes, not {text or 'another type'}"


def _too_small(name: str, details: Details, _text: str | None) -> str:
    return f"{name} must be at least {details['ctx']['ge']}"


def _too_large(name: str, details: Details, _text: str | None) -> str:
    return f"{name} must be at most {details['ctx']['le']}"


def _empty(name: str, _details: Details, _text: str | None) -> str:
    return f"{name} is empty; write something"


def _too_long(name: str, details: Details, text: str | None) -> str:
    return f"{name} has {len(text or '')} characters; use at most {details['ctx']['max_length']}"


def _too_many(name: str, details: Details, _text: str | None) -> str:
    return f"{name} has {details['ctx']['actual_length']} items; use at most {details['ctx']['max_length']}"


def _too_few(name: str, _details: Details, _text: str | None) -> str:
    return f"{name} is empty; write something or remove the line"


def _half_character(name: str, _details: Details, _text: str | None) -> str:
    return f"{name} contains a lone surrogate, which is half a character; remove it"


def _no_list(name: str, _details: Details, _text: str | None) -> str:
    return f"{name} must be a list; start each item on a new line with '- '"


def _no_mapping(name: str, _details: Details, _text: str | None) -> str:
    return f"{name} must have keys with values, such as 'id: spring-offer'"


def _own_words(name: str, details: Details, _text: str | None) -> str:
    sentence = str(details["ctx"]["error"])
    return f"{name}: {sentence}" if details["loc"] else sentence


_EXPLANATIONS: dict[str, Callable[[str, Details, str | None], str]] = {
    "missing": _missing,
    "string_type": _no_text,
    "literal_error": _no_choice,
    "union_tag_invalid": _wrong_kind,
    "union_tag_not_found": _no_kind,
    "bool_type": _no_boolean,
    "int_type": _no_integer,
    "greater_than_equal": _too_small,
    "less_than_equal": _too_large,
    "string_too_short": _empty,
    "string_too_long": _too_long,
    "string_unicode": _half_character,
    "too_long": _too_many,
    "too_short": _too_few,
    "list_type": _no_list,
    "model_type": _no_mapping,
    "model_attributes_type": _no_mapping,
    "value_error": _own_words,
}


def _label(location: tuple[str | int, ...]) -> str:
    """Return the key of a value; for an item of a list, its number and the key of the list."""
    if not location:
        return "the file"
    last = location[-1]
    if isinstance(last, str):
        return last
    return f"item {last + 1} of {location[-2]}"
