"""Clicks from lines of JSON: keys are the field names of LinkClicked, times epoch milliseconds or ISO 8601."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from consumer.inspect.ndjson import (
    InvalidLine,
    is_blank,
    json_object,
    read_boolean,
    read_number,
    read_text,
    read_time,
    refuse_unknown,
)
from schemas.bad_record import BadRecord
from schemas.click import click_layout, parse_click
from schemas.codec import Codec
from schemas.record_schema import Json

_EXAMPLE = 'a click is {"tenant_id": …, "link_id": …, "recipient_id": …, "clicked_at": …}'
_LIMITS = {"long": 2**63, "int": 2**31}


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
        given = json_object(line, example=_EXAMPLE)
        refuse_unknown(given, self._fields, what="a click")
        given = {name: value for name, value in given.items() if not is_blank(value)}
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
        return read_time(name, value)
    if kind == "string":
        return read_text(name, value)
    return read_boolean(name, value) if kind == "boolean" else read_number(name, value, limit=_LIMITS[kind])
