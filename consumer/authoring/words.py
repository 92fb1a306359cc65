"""The single values of a link file: ids, names, addresses, texts and repeat rules.

Each checker returns the value or raises ValueError with a sentence that says how to mend it.
"""

import re
import unicodedata
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, WithJsonSchema

from actions.repeat import Repeat, RepeatRule
from consumer.setting_values import duration

LONGEST_NAME = 200
LONGEST_URL = 4000
LONGEST_RICH_TEXT = 200_000

_TENANT = re.compile(r"[A-Za-z0-9._-]{1,100}")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_WITHOUT_PERIOD = [rule.value for rule in RepeatRule if rule is not RepeatRule.COOLDOWN]


def check_tenant_id(text: str) -> str:
    """Take what may stand before the slash of a record key."""
    if not _TENANT.fullmatch(text):
        raise ValueError(f"{text!r} is no tenant id; use 1 to 100 letters, digits, '.', '_' and '-'")
    return text


def check_name(text: str) -> str:
    """Take an id or a name: one line, not empty, not too long, and not different only by what nobody sees."""
    if not text.strip():
        raise ValueError("it is empty; write something")
    if len(text) > LONGEST_NAME:
        raise ValueError(f"it has {len(text)} characters; use at most {LONGEST_NAME}")
    if any(unicodedata.category(character) in _UNPRINTABLE for character in text):
        raise ValueError("it holds a line break, tab or other control character; remove it")
    if text != text.strip():
        raise ValueError("it starts or ends with a blank; remove it")
    return text


def check_url(text: str) -> str:
    """Take an absolute address of a web page."""
    try:
        parts = urlsplit(text)
        is_page = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_page = False
    if not is_page or len(text) > LONGEST_URL or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError(
            "it is no absolute http or https address without blanks; write one such as https://example.com/offer"
        )
    return text


def read_repeat(value: Any) -> Repeat:
    """Read `once`, `once_per_mailing`, `always` or `{cooldown: 24h}`."""
    if isinstance(value, Repeat):
        return value
    if isinstance(value, str) and value in _WITHOUT_PERIOD:
        return Repeat(RepeatRule(value))
    if isinstance(value, dict) and list(value) == ["cooldown"]:
        return Repeat(RepeatRule.COOLDOWN, _milliseconds(value["cooldown"]))
    raise ValueError(f"it is no repeat rule; write one of {', '.join(_WITHOUT_PERIOD)} or {{cooldown: 24h}}")


def repeat_schema() -> dict[str, Any]:
    """Return the JSON Schema of what `read_repeat` takes."""
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
        raise ValueError("its cooldown is no duration of a second or more; write one such as 30m, 24h or 7d")
    return period // timedelta(milliseconds=1)


_NAME_SCHEMA = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
_TENANT_SCHEMA = {"type": "string", "pattern": f"^{_TENANT.pattern}$"}

TenantId = Annotated[str, AfterValidator(check_tenant_id), WithJsonSchema(_TENANT_SCHEMA)]
Name = Annotated[str, AfterValidator(check_name), WithJsonSchema(_NAME_SCHEMA)]
Url = Annotated[str, AfterValidator(check_url), WithJsonSchema({"type": "string", "pattern": "^https?://"})]
RichText = Annotated[str, Field(min_length=1, max_length=LONGEST_RICH_TEXT)]
