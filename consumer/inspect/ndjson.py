"""Lines of JSON: one object each, with texts, numbers and times that people and exports write."""

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from string import whitespace
from typing import Any

from schemas.click import EARLIEST_MS

LINE_BYTES = 65_536
"""Length of the longest line that is read."""

SECONDS_MS = 100_000_000_000
"""March 1973 in milliseconds; in seconds it is the year 5138, so smaller numbers are meant as seconds."""

LATEST_MS = 4_102_444_800_000
"""The year 2100; larger numbers are meant in a smaller unit, or are not a time."""

_SMALLER_UNITS = (("microseconds", 1_000), ("nanoseconds", 1_000_000))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class InvalidLine(ValueError):
    """A line that is not what it should be, a click for example; the message repeats no value."""


def json_object(line: bytes, *, example: str) -> dict[str, Any]:
    """Return the JSON object of one line, or raise InvalidLine, which shows the example if it is something else."""
    if len(line) > LINE_BYTES:
        raise InvalidLine(f"longer than {LINE_BYTES} bytes")
    try:
        value = json.loads(line.decode().rstrip("\r\n"), object_pairs_hook=_object_without_repeats)
    except UnicodeDecodeError as error:
        raise InvalidLine("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise InvalidLine(f"not JSON from column {error.pos + 1} on") from error
    except RecursionError as error:
        raise InvalidLine("not JSON that can be read: nested too deep") from error
    except InvalidLine:
        raise
    except ValueError as error:
        raise InvalidLine("not JSON that can be read: a number has thousands of digits") from error
    if not isinstance(value, dict):
        raise InvalidLine(f"not a JSON object; {example}")
    return value


def refuse_unknown(given: Iterable[str], known: Collection[str], *, what: str) -> None:
    """Raise InvalidLine for the first name that is not known."""
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"fields are {', '.join(known)}"
            raise InvalidLine(f"{what} has no field {name!r}; {hint}")


def is_blank(value: object) -> bool:
    """Return whether this is a blank text, which exports write for unknown values."""
    return isinstance(value, str) and not value.strip(whitespace)


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise InvalidLine("a field is repeated")
    return value


def read_text(name: str, value: Any) -> str:
    """Return a text, or raise InvalidLine."""
    if not isinstance(value, str):
        raise InvalidLine(f'{name} must be text in quotes, such as "x"')
    return value


def read_boolean(name: str, value: Any) -> bool:
    """Return true or false, or raise InvalidLine."""
    if not isinstance(value, bool):
        raise InvalidLine(f"{name} must be true or false")
    return value


def read_number(name: str, value: Any, *, limit: int = 2**31) -> int:
    """Return a number from -limit to limit - 1, or raise InvalidLine."""
    if isinstance(value, bool) or not isinstance(value, int) or not -limit <= value < limit:
        raise InvalidLine(f"{name} must be a whole number that fits {limit.bit_length()} bits")
    return value


def read_time(name: str, value: Any) -> int:
    """Return a time in milliseconds since 1970 UTC, from such a number or ISO 8601, or raise InvalidLine."""
    milliseconds = _iso_8601(name, value) if isinstance(value, str) else read_number(name, value, limit=2**63)
    if 0 < milliseconds < SECONDS_MS and not isinstance(value, str):
        raise InvalidLine(f"{name} looks like seconds; times are milliseconds since 1970 or ISO 8601")
    for unit, per_millisecond in _SMALLER_UNITS:
        if EARLIEST_MS <= milliseconds // per_millisecond <= LATEST_MS < milliseconds:
            hint = f"divide by {per_millisecond:,}, or write ISO 8601"
            raise InvalidLine(f"{name} looks like {unit}; times are milliseconds since 1970: {hint}")
    if not EARLIEST_MS <= milliseconds <= LATEST_MS:
        raise InvalidLine(
            f"{name} is before the year 2000 or after 2100; times are milliseconds since 1970 or ISO 8601"
        )
    return milliseconds


def _iso_8601(name: str, text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidLine(f"{name} is not a time; write 2026-11-22T09:30:00Z or milliseconds since 1970") from error
    if time.tzinfo is None:
        raise InvalidLine(f"{name} has no time zone; put Z or +01:00 after it")
    return (time - _EPOCH) // timedelta(milliseconds=1)
