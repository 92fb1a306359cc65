"""Clicks from lines of JSON: keys are the field names of LinkClicked, times epoch milliseconds or ISO 8601."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from string import whitespace
from typing import Any

from schemas.bad_record import BadRecord
from schemas.click import EARLIEST_MS, click_layout, parse_click
from schemas.codec import Codec
from schemas.record_schema import Json

LINE_BYTES = 65_536
"""Longest line; more than any click may have."""

SECONDS_MS = 100_000_000_000
"""March 1973 in milliseconds; in seconds it is the year 5138, so smaller numbers are meant as seconds."""

LATEST_MS = 4_102_444_800_000
"""The year 2100; larger numbers are meant in a smaller unit, or are not a time."""

_SMALLER_UNITS = (("microseconds", 1_000), ("nanoseconds", 1_000_000))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIMITS = {"long": 2**63, "int": 2**31}


class InvalidLine(ValueError):
    """A line that is not a click; the message says what is wrong and repeats no value."""


@dataclass(frozen=True, slots=True)
class EncodedClick:
    """The key and value of a click to publish. `minted` is true if the line had no `click_id`."""

    key: bytes
    value: bytes
    minted: bool


class ClickLines:
    """Turns lines into clicks. `mint` generates missing click ids."""

    def __init__(self, codec: Codec, mint: Callable[[], str]) -> None:
        self._codec = codec
        self._mint = mint
        self._fields: Mapping[str, Json] = {field["name"]: field for field in codec.schema.definition["fields"]}
        self._layouts = {codec.frame: click_layout(codec.schema)}

    def read(self, line: bytes) -> EncodedClick:
        """Return the click of one line, or raise InvalidLine. A blank text counts as a missing field.

        The click has passed the worker's checks, except that of times in the future, so it does not become a dead
        letter.
        """
        given = _json_object(line)
        for name in given:
            self._refuse_unknown(name)
        given = {name: value for name, value in given.items() if not _is_blank(value)}
        minted = given.get("click_id") is None
        if minted:
            given["click_id"] = self._mint()
        record = {name: _value(field, given) for name, field in self._fields.items()}
        try:
            value = self._codec.encode(record)
            key = parse_click(value, self._layouts).key
        except BadRecord as error:
            raise InvalidLine(error.detail) from error
        except UnicodeEncodeError as error:
            raise InvalidLine("a text contains half of a surrogate pair, which is not Unicode") from error
        return EncodedClick(key, value, minted)

    def _refuse_unknown(self, name: str) -> None:
        if name not in self._fields:
            near = get_close_matches(name, self._fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"fields are {', '.join(self._fields)}"
            raise InvalidLine(f"a click has no field {name!r}; {hint}")


def _json_object(line: bytes) -> dict[str, Any]:
    if len(line) > LINE_BYTES:
        raise InvalidLine(f"longer than {LINE_BYTES} bytes")
    try:
        value = json.loads(line.decode().rstrip("\r\n"), object_pairs_hook=_object_without_repeats)
    except UnicodeDecodeError as error:
        raise InvalidLine("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise InvalidLine(f"not JSON from column {error.pos + 1} on") from error
    except RecursionError as error:
        raise InvalidLine("not a click: nested too deep") from error
    except InvalidLine:
        raise
    except ValueError as error:
        raise InvalidLine("not a click: a number has thousands of digits") from error
    if not isinstance(value, dict):
        raise InvalidLine(
            'not a JSON object; a click is {"tenant_id": …, "link_id": …, "recipient_id": …, "clicked_at": …}'
        )
    return value


def _is_blank(value: object) -> bool:
    """Return whether this is a blank text, which exports write for unknown values."""
    return isinstance(value, str) and not value.strip(whitespace)


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise InvalidLine("a field is repeated")
    return value


def _value(field: Json, given: Mapping[str, Any]) -> Any:
    """Return the value of one field of the record."""
    name, kind = field["name"], field["type"]
    nullable = isinstance(kind, list)
    if name not in given and "default" in field:
        return field["default"]
    value = given.get(name)
    if value is None:
        if nullable:
            return None
        raise InvalidLine(f"{name} is missing")
    return _converted(name, kind[1] if nullable else kind, value)


def _converted(name: str, kind: Any, value: Any) -> Any:
    if isinstance(kind, dict):
        return _time(name, value)
    if kind == "string":
        return _checked(name, value, str, 'text in quotes, such as "x"')
    if kind == "boolean":
        return _checked(name, value, bool, "true or false")
    return _number(name, value, _LIMITS[kind])


def _checked(name: str, value: Any, wanted: type, words: str) -> Any:
    if not isinstance(value, wanted):
        raise InvalidLine(f"{name} must be {words}")
    return value


def _number(name: str, value: Any, limit: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -limit <= value < limit:
        raise InvalidLine(f"{name} must be a whole number that fits {limit.bit_length()} bits")
    return value


def _time(name: str, value: Any) -> int:
    milliseconds = _iso_8601(name, value) if isinstance(value, str) else _number(name, value, _LIMITS["long"])
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
