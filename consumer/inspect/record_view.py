"""Records as shown to people and programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from confluent_kafka import Message


@dataclass(frozen=True, slots=True)
class RecordView:
    """Position and content of a record; `timestamp` is milliseconds since 1970 UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None

    @property
    def place(self) -> str:
        """Return `PARTITION:OFFSET`; in JSON and tables, `place` means this."""
        return f"{self.partition}:{self.offset}"

    def json_line(self, value: Any) -> str:
        """Return the line of `--json`; of a repeated header, the last counts."""
        fields = {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "timestamp": self.timestamp,
            "key": text_of(self.key),
            "headers": {name: text_of(header) for name, header in self.headers},
            "value": value,
        }
        return json.dumps(fields)


def view_record(message: Message) -> RecordView:
    """Return the view of a record of the client library."""
    headers = cast("Sequence[tuple[str, bytes | None]]", message.headers() or ())
    return RecordView(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp=message.timestamp()[1],
        key=message.key(),
        headers=tuple(headers),
        value=message.value(),
    )


def text_of(part: bytes | None) -> str | None:
    """Return bytes as text; bytes that are not UTF-8 become hexadecimal escapes."""
    return None if part is None else part.decode(errors="backslashreplace")


def time_of(milliseconds: int) -> str:
    """Return a time as a UTC date, or the number if there is no such date."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(milliseconds)
