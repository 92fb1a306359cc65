"""Types of the values of a link file: addresses, texts and repeat rules.

Each checker returns the value or raises ValueError with a message that says how to fix it.
"""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from actions.repeat import Repeat, RepeatRule
from actions.rich_text import MAX_TAGS, clean, count_tags
from runtime.authoring.web_address import check_url
from runtime.config.values import duration

MAX_RICH_TEXT_LENGTH = 200_000

_WITHOUT_PERIOD = [rule.value for rule in RepeatRule if rule is not RepeatRule.COOLDOWN]


def clean_rich_text(text: str) -> str:
    """Return the rich text to publish: cleaned, within the limits, and not empty."""
    if count_tags(text) > MAX_TAGS:
        raise ValueError(f"it has {count_tags(text)} tags; use at most {MAX_TAGS}")
    cleaned = clean(text)
    if not cleaned.strip():
        raise ValueError("nothing of it may be shown; write text, with HTML that neither runs nor hides")
    if len(cleaned) > MAX_RICH_TEXT_LENGTH:
        raise ValueError(f"it has {len(cleaned)} characters as valid HTML; use at most {MAX_RICH_TEXT_LENGTH}")
    return cleaned


def read_repeat(value: Any) -> Repeat:
    """Read `once`, `once_per_mailing`, `always` or `{cooldown: 24h}`."""
    if isinstance(value, Repeat):
        return value
    if isinstance(value, str) and value in _WITHOUT_PERIOD:
        return Repeat(RepeatRule(value))
    if isinstance(value, dict) and list(value) == ["cooldown"]:
        return Repeat(RepeatRule.COOLDOWN, _milliseconds(value["cooldown"]))
    raise ValueError(f"it is not a repeat rule; write one of {', '.join(_WITHOUT_PERIOD)} or {{cooldown: 24h}}")


def repeat_schema() -> dict[str, Any]:
    """Return the JSON Schema of the values that `read_repeat` accepts."""
    period = {"type": "string", "minLength": 2, "description": "A duration such as 30m, 24h or 7d."}
    cooldown = {
        "type": "object",
        "properties": {"cooldown": period},
        "required": ["cooldown"],
        "additionalProperties": False,
    }
    return {"oneOf": [{"enum": _WITHOUT_PERIOD}, cooldown]}


def _milliseconds(value: Any) -> int:
    try:
        period = duration(value)
    except (ValueError, OverflowError):
        period = None
    if not isinstance(period, timedelta) or period < timedelta(seconds=1):
        raise ValueError("its cooldown is not a duration of at least a second; write one such as 30m, 24h or 7d")
    return period // timedelta(milliseconds=1)


Url = Annotated[str, AfterValidator(check_url), WithJsonSchema({"type": "string", "pattern": "^https?://"})]
RichText = Annotated[str, Field(min_length=1, max_length=MAX_RICH_TEXT_LENGTH), AfterValidator(clean_rich_text)]
