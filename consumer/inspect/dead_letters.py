"""Dead letters: the original record and the reason of its failure, and their replay as clicks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from consumer.inspect.record_view import RecordView, text_of
from schemas.bad_record import BadRecord
from schemas.click import ClickLayout, parse_click
from schemas.dead_letter_headers import ADDED, FIRST, REPLAYED, split
from schemas.identity import partition_of

_PLACE = re.compile(r"(\d{1,9}):(\d{1,18})")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. `facts` are the dlq headers without their prefix, `headers` those of the original record."""

    record: RecordView
    facts: Mapping[str, str]
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def reason(self) -> str:
        """Return the reason; `unknown` if another program wrote the record."""
        return self.facts.get("reason", "unknown")

    @property
    def copy_of(self) -> str | None:
        """Return where the first dead letter of this click is, None if this is the first."""
        places = [text_of(value) or "" for name, value in self.headers if name == REPLAYED]
        return places[-1] if places and _PLACE.fullmatch(places[-1]) else None

    @property
    def click(self) -> tuple[str, bytes]:
        """Return the identity of the click: where its first dead letter is, and a digest.

        The digest distinguishes records that falsely claim to be copies, or are copies from a deleted topic.
        """
        digest = blake2b(digest_size=16)
        for part in (self.record.key, self.record.value):
            digest.update(b"-" if part is None else b"%d:" % len(part) + part)
        return self.copy_of or self.record.place, digest.digest()

    def facts_in_json(self) -> dict[str, object]:
        """Return the facts without personal data."""
        numbers = {name: _number(self.facts.get(name)) for name in ("partition", "offset", "timestamp")}
        return {
            "place": self.record.place,
            "timestamp": self.record.timestamp,
            "reason": self.reason,
            "detail": self.facts.get("detail"),
            "version": self.facts.get("version"),
            "original": {"topic": self.facts.get("topic"), **numbers},
            "value_bytes": None if self.record.value is None else len(self.record.value),
            "copy_of": self.copy_of,
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """A dead letter as a click again. `partition` is None if its key is unknown.

    It is published with the time of its replay: with the old one, retention might delete it unread.
    """

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    partition: int | None


def dead_letter(record: RecordView) -> DeadLetter:
    """Parse the headers. If another program republished a dead letter with its dlq headers, the last ones count."""
    own, facts = split(record.headers)
    return DeadLetter(record, {name: text_of(value) or "" for name, value in facts.items()}, own)


def replay_noted_by(record: RecordView) -> str | None:
    """Return which dead letter was replayed, by its place; None if this record notes no replay."""
    headers = dict(record.headers)
    if record.value is not None or FIRST in headers or REPLAYED not in headers:
        return None
    return text_of(headers[REPLAYED])


def replay_of(letter: DeadLetter, layouts: Mapping[bytes, ClickLayout], partitions: int) -> Replay:
    """Return the click to publish: the original bytes and headers, to the partition of its key.

    A record without a key goes to the partition of its identity, if that can be decoded.
    """
    record = letter.record
    kept = [(name, value) for name, value in letter.headers if name != REPLAYED and name not in ADDED]
    key = record.key if record.key is not None else _identity(record.value, layouts)
    return Replay(
        key=record.key,
        value=record.value,
        headers=[*kept, (REPLAYED, (letter.copy_of or record.place).encode())],
        partition=None if key is None else partition_of(key, partitions),
    )


def parse_place(text: str) -> tuple[int, int]:
    """Return partition and offset of `PARTITION:OFFSET`; raises ValueError."""
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not PARTITION:OFFSET, such as 3:1042")
    return int(match[1]), int(match[2])


def _number(text: str | None) -> int | None:
    """Return the number, None if another program wrote something else."""
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,19}", text) else None


def _identity(value: bytes | None, layouts: Mapping[bytes, ClickLayout]) -> bytes | None:
    try:
        return parse_click(value or b"", layouts).key
    except BadRecord:
        return None
