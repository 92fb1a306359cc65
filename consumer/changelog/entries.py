"""Encoding of the dedupe state: entries of a recipient and link, and hits of a link.

Keys: 16 bytes of the recipient, the last 4 of which tell its partition, 8 of link and epoch, and for what holds in
one scope only (a mailing, a flow run, a click) 8 of the scope. Hits have a key of 16 bytes. Each value starts with a
byte that tells its format; numbers are big-endian, times milliseconds since 1970 UTC.
"""

from dataclasses import dataclass, field
from struct import Struct

from schemas.identity import KEY_HASH_BYTES, RECIPIENT_DIGEST_BYTES

DEDUPE_KEY_BYTES = 24
SCOPED_KEY_BYTES = 32
HITS_KEY_BYTES = 16

PLAIN = 1
"""Format byte, clicked_at (8), bitmap of the slots that applied (little-endian, without trailing zeros)."""
WITH_TIMES = 2
"""Format byte, clicked_at (8), then for each slot that applied its number (2) and the time it last did (8)."""
ONE_CLICK = 3
"""As PLAIN, for the scope of one click: may be deleted a day after it."""
HITS = 16
"""Format byte, epoch (8), clicks (8), first clicks (8)."""

_TIME = Struct(">Bq")
_SLOT_TIME = Struct(">Hq")
_HITS = Struct(">Bqqq")
HITS_BYTES = _HITS.size


class UnknownStateFormat(Exception):
    """State that a later version of the program wrote; guessing its meaning would repeat or lose actions."""


def partition_of_key(key: bytes, partitions: int) -> int | None:
    """Return the partition of this key's recipient, out of `partitions`; None if the key is no dedupe key."""
    if len(key) not in {DEDUPE_KEY_BYTES, SCOPED_KEY_BYTES}:
        return None
    return int.from_bytes(key[RECIPIENT_DIGEST_BYTES : RECIPIENT_DIGEST_BYTES + KEY_HASH_BYTES], "big") % partitions


@dataclass(slots=True)
class DedupeEntry:
    """The applied actions of one recipient and link, or of one scope of it.

    `clicked_at` is the click that made the entry. `applied` has a bit per slot; `last_applied` has the time at
    which a slot last applied, if that is not `clicked_at`.
    """

    clicked_at: int
    applied: int = 0
    last_applied: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class HitCount:
    """Clicks and first clicks of a link in one partition, in the newest epoch that the partition has seen."""

    epoch: int
    clicks: int = 0
    first_clicks: int = 0


def bitmap(applied: int) -> bytes:
    """Return the slots as bytes, without trailing zeros."""
    return applied.to_bytes((applied.bit_length() + 7) // 8, "little")


def encode_entry(entry: DedupeEntry, form: int = PLAIN) -> bytes:
    """Return the entry's value, in format WITH_TIMES if it has times to keep."""
    if not entry.last_applied:
        return _TIME.pack(form, entry.clicked_at) + bitmap(entry.applied)
    slots = [slot for slot in range(entry.applied.bit_length()) if entry.applied >> slot & 1]
    times = (_SLOT_TIME.pack(slot, entry.last_applied.get(slot, entry.clicked_at)) for slot in slots)
    return _TIME.pack(WITH_TIMES, entry.clicked_at) + b"".join(times)


def decode_entry(value: bytes) -> DedupeEntry:
    """Return the entry. Raises UnknownStateFormat."""
    form, clicked_at = _TIME.unpack_from(value)
    if form in (PLAIN, ONE_CLICK):
        return DedupeEntry(clicked_at, int.from_bytes(value[_TIME.size :], "little"))
    if form != WITH_TIMES:
        raise UnknownStateFormat(f"a dedupe entry has the format {form}")
    times = dict(_SLOT_TIME.iter_unpack(value[_TIME.size :]))
    return DedupeEntry(clicked_at, sum(1 << slot for slot in times), times)


def newest_time(value: bytes) -> int:
    """Return the time from which a dedupe entry's retention counts: its creation or, if later, its last change."""
    clicked_at = int.from_bytes(value[1 : _TIME.size], "big", signed=True)
    if value[0] != WITH_TIMES:
        return clicked_at
    times: list[int] = [time for _, time in _SLOT_TIME.iter_unpack(value[_TIME.size :])]
    return max(clicked_at, *times)


def encode_hits(hits: HitCount) -> bytes:
    """Return the value of a link's hits."""
    return _HITS.pack(HITS, hits.epoch, hits.clicks, hits.first_clicks)


def decode_hits(value: bytes) -> HitCount:
    """Return a link's hits. Raises UnknownStateFormat."""
    if value[0] != HITS:
        raise UnknownStateFormat(f"an entry of hits has the format {value[0]}")
    _, epoch, clicks, first_clicks = _HITS.unpack(value)
    return HitCount(epoch, clicks, first_clicks)
