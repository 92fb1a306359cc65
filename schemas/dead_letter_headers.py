"""Headers of a dead letter: first the record's own headers, then those that say why it is a dead letter."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

Header = tuple[str, bytes | None]

PREFIX = "dlq."
FIRST = f"{PREFIX}reason"
"""The first of the headers that a worker adds."""
ADDED = tuple(
    f"{PREFIX}{name}" for name in ("reason", "topic", "partition", "offset", "timestamp", "version", "detail")
)
"""The headers that a worker adds, in their order."""
REPLAYED = f"{PREFIX}replayed"
"""Header of a click that was replayed: partition and offset of its first dead letter, as PARTITION:OFFSET.

If the replayed click becomes a dead letter again, the worker copies this header to it, which marks it as a copy.
A record with this header but without a value and a reason notes that the dead letter at this offset was replayed.
"""


def with_reason(
    own: Sequence[Header],
    *,
    reason: StrEnum,
    topic: str,
    partition: int | None,
    offset: int | None,
    timestamp_ms: int,
    version: str,
    detail: str,
) -> tuple[Header, ...]:
    """Return the record's own headers and then those of a worker of this `version`.

    Own headers with these names are left out: otherwise a program that republishes dead letters unchanged would create
    dead letters with two reasons.
    """
    facts = (str(reason), topic, str(partition), str(offset), str(timestamp_ms), version, detail)
    added = tuple((name, fact.encode()) for name, fact in zip(ADDED, facts, strict=True))
    return (*(header for header in own if header[0] not in ADDED), *added)


def split(headers: Sequence[Header]) -> tuple[tuple[Header, ...], Mapping[str, bytes | None]]:
    """Return the record's own headers, and the added ones without their prefix; if there are several, the last ones."""
    names = [name for name, _ in headers]
    first = len(names) - 1 - names[::-1].index(FIRST) if FIRST in names else len(names)
    return tuple(headers[:first]), {name.removeprefix(PREFIX): value for name, value in headers[first:]}
