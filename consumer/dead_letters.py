"""Dead letters: the record as it was, and beside it why it could not be handled; taken apart and made clicks again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consumer.shown_record import ShownRecord, text_of
from schemas.bad_record import BadRecord
from schemas.click import ClickLayout, cut_click
from schemas.identity import partition_of

PREFIX = "dlq."
FIRST = "dlq.reason"
"""The header that the loop's own begin with; the record's own stand before it."""

REPLAYED = "dlq.replayed"
"""Header of a click that was replayed: the place of the dead letter, PARTITION:OFFSET."""

_PLACE = re.compile(r"(\d{1,9}):(\d{1,18})")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. `facts` are the loop's headers without their prefix, `headers` those of the record itself."""

    record: ShownRecord
    facts: Mapping[str, str]
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def reason(self) -> str:
        """Return why it is one; `unknown` where another program wrote it."""
        return self.facts.get("reason", "unknown")

    def facts_in_json(self) -> dict[str, object]:
        """Return what can be told of it without telling who clicked."""
        original = {name: self.facts.get(name) for name in ("topic", "partition", "offset", "timestamp")}
        return {
            "place": self.record.place,
            "timestamp": self.record.timestamp,
            "reason": self.reason,
            "detail": self.facts.get("detail"),
            "version": self.facts.get("version"),
            "original": original,
            "value_bytes": None if self.record.value is None else len(self.record.value),
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """A dead letter as the click that it was. `partition` is None where nothing tells which.

    It is published with the time of its replay: by the old one the clicks' retention might delete it unread.
    """

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    partition: int | None


def dead_letter(record: ShownRecord) -> DeadLetter:
    """Take apart the headers. One that was replayed and went bad again has the loop's twice; the last ones count."""
    names = [name for name, _ in record.headers]
    first = len(names) - 1 - names[::-1].index(FIRST) if FIRST in names else len(names)
    facts = {name.removeprefix(PREFIX): text_of(value) or "" for name, value in record.headers[first:]}
    return DeadLetter(record, facts, record.headers[:first])


def replay_of(letter: DeadLetter, layouts: Mapping[bytes, ClickLayout], partitions: int) -> Replay:
    """Return the click to publish: the original bytes and headers, to the partition of its key.

    One without a key goes where its identity belongs, if that can be read.
    """
    record = letter.record
    kept = [(name, value) for name, value in letter.headers if name != REPLAYED]
    key = record.key if record.key is not None else _identity(record.value, layouts)
    return Replay(
        key=record.key,
        value=record.value,
        headers=[*kept, (REPLAYED, record.place.encode())],
        partition=None if key is None else partition_of(key, partitions),
    )


def place_of(text: str) -> tuple[int, int]:
    """Return partition and offset of `PARTITION:OFFSET`; raises ValueError."""
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no PARTITION:OFFSET, such as 3:1042")
    return int(match[1]), int(match[2])


def _identity(value: bytes | None, layouts: Mapping[bytes, ClickLayout]) -> bytes | None:
    try:
        return cut_click(value or b"", layouts).key
    except BadRecord:
        return None
