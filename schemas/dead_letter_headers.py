"""The headers of a dead letter: those of the record itself come first, then these, which say why it is one."""

from collections.abc import Mapping, Sequence

from schemas.bad_record import Reason

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

A worker copies it to the dead letter that such a click becomes again, which marks that one as a copy. A record without
a value that has this header and no reason notes that the dead letter at this offset was replayed.
"""


def with_reason(
    own: Sequence[Header],
    *,
    reason: Reason,
    topic: str,
    partition: int | None,
    offset: int | None,
    timestamp_ms: int,
    version: str,
    detail: str,
) -> tuple[Header, ...]:
    """Return the record's own headers and then those of a worker of this `version`.

    Own headers of the same names are left out: a program that brings back dead letters as they are would otherwise make
    letters with two reasons.
    """
    facts = (str(reason), topic, str(partition), str(offset), str(timestamp_ms), version, detail)
    added = tuple((name, fact.encode()) for name, fact in zip(ADDED, facts, strict=True))
    return (*(header for header in own if header[0] not in ADDED), *added)


def split(headers: Sequence[Header]) -> tuple[tuple[Header, ...], Mapping[str, bytes | None]]:
    """Return the record's own headers, and the added ones without their prefix; if there are several, the last ones."""
    names = [name for name, _ in headers]
    first = len(names) - 1 - names[::-1].index(FIRST) if FIRST in names else len(names)
    return tuple(headers[:first]), {name.removeprefix(PREFIX): value for name, value in headers[first:]}
