"""Turns pydantic's validation errors into sentences."""

from collections.abc import Mapping
from typing import Any

_SENTENCES = {
    "missing": "it is missing",
    "int": "it must be a whole number",
    "float": "it must be a number",
    "finite_number": "it must be a number",
    "bool": "it must be true or false",
    "string_too_short": "it must not be empty",
    "string_too_long": "it must have at most {max_length} characters",
    "string": "it must be text",
    "path": "it must be a path",
    "enum": "it must be {expected}",
    "literal": "it must be {expected}",
    "greater_than_equal": "it must be at least {ge}",
    "greater_than": "it must be more than {gt}",
    "less_than_equal": "it must be at most {le}",
    "less_than": "it must be less than {lt}",
}
"""Sentences by the start of the error's type, longer ones first."""


def problem_of(details: Mapping[str, Any]) -> str:
    """Return a message for one item of `ValidationError.errors()`.

    It does not repeat the value, which may be a secret.
    """
    kind, context = str(details["type"]), details.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    for start, sentence in _SENTENCES.items():
        if kind.startswith(start):
            return sentence.format(**{name: str(value).replace("'", "") for name, value in context.items()})
    return "it is invalid"
