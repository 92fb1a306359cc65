"""Faults, planned ahead so that each can be left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

PRODUCING = ("InitProducerId", "AddPartitionsToTxn", "Produce", "TxnOffsetCommit", "EndTxn")
"""Requests that still count when they come late: others are forgotten with the connection."""
CONSUMING = ("JoinGroup", "SyncGroup", "OffsetFetch", "Fetch", "ListOffsets", "Metadata")
WRITE = "disk write"


class Kind(StrEnum):
    """The kinds of faults."""

    CRASH_BEFORE = "crash before the request"
    CRASH_AFTER = "crash after the request"
    CRASH_LATE = "crash, and the request comes late"
    STALL_BEFORE = "stall before the request"
    STALL_AFTER = "stall after the request"
    REPLACED = "stall, and another takes the name"
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    LATE = "request late"
    REPEATED = "request repeated"
    CUT_OFF = "worker cut off from the broker"
    EXPIRED = "transaction expired"
    DISK_FULL = "disk full"
    BROKER_AWAY = "broker away"
    COMPACTION = "compaction"
    JOIN = "worker joins"
    LEAVE = "worker leaves"
    OFFSETS_EXPIRED = "offsets of the group expire"
    CHANGELOG_RECREATED = "changelog deleted and created again"
    CLICKS_DELETED = "clicks deleted, read or not"


class Disk(StrEnum):
    """The disk that a process finds after a crash."""

    KEPT = "kept"
    LOST = "lost"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `call` is the request at which it happens, the `nth` of that name that the worker makes.

    An empty `call` is any request; without a worker it happens at a time instead, after `nth` tenths of a second.
    """

    number: int
    kind: Kind
    worker: str
    call: str
    nth: int
    seconds: float
    disk: Disk = Disk.KEPT

    def __str__(self) -> str:
        where = f"{self.worker} at {self.call or 'call'} {self.nth}" if self.worker else f"at {self.nth / 10:.1f} s"
        disk = "" if self.disk is Disk.KEPT else f", disk {self.disk}"
        return f"fault {self.number}: {self.kind}, {where}, {self.seconds:.1f} s{disk}"


_WEIGHTS = {
    Kind.CRASH_BEFORE: 10,
    Kind.CRASH_AFTER: 10,
    Kind.CRASH_LATE: 8,
    Kind.STALL_BEFORE: 6,
    Kind.STALL_AFTER: 6,
    Kind.REPLACED: 4,
    Kind.REQUEST_LOST: 6,
    Kind.ANSWER_LOST: 10,
    Kind.LATE: 10,
    Kind.REPEATED: 5,
    Kind.CUT_OFF: 5,
    Kind.EXPIRED: 5,
    Kind.DISK_FULL: 3,
    Kind.BROKER_AWAY: 2,
    Kind.COMPACTION: 6,
    Kind.JOIN: 3,
    Kind.LEAVE: 4,
}
_TIMED = (Kind.BROKER_AWAY, Kind.COMPACTION, Kind.JOIN)
OF_THE_HISTORY = (Kind.OFFSETS_EXPIRED, Kind.CHANGELOG_RECREATED, Kind.CLICKS_DELETED)
HISTORY_CHANCE = 0.25
"""Share of runs that have one of them: a run without is checked as a whole, which notices more."""
MAX_FAULTS = 9
MAX_TENTHS = 90


def plan_faults(random: Random, workers: Sequence[str], guests: Sequence[str]) -> list[Fault]:
    """Draw the faults of one run. `guests` are workers that only come when a fault has them join."""
    kinds = random.choices([*_WEIGHTS], [*_WEIGHTS.values()], k=random.randint(1, MAX_FAULTS))
    faults = [_draw(random, number, kind, (workers, guests)) for number, kind in enumerate(kinds, start=1)]
    # Drawn last and from a separate generator, so that the rest of a seed stays unchanged.
    of_history = Random(random.getstate()[1][0])
    number = of_history.choice((1, 1, 2)) if of_history.random() < HISTORY_CHANCE else 0
    return faults + [_of_history(of_history, len(faults) + each) for each in range(1, number + 1)]


def _of_history(random: Random, number: int) -> Fault:
    kind = random.choice(OF_THE_HISTORY)
    return Fault(number, kind, "", "", random.randrange(MAX_TENTHS), 0.0)


def _draw(random: Random, number: int, kind: Kind, names: tuple[Sequence[str], Sequence[str]]) -> Fault:
    workers, guests = names
    disk = random.choices([*Disk], [6, 2, 2])[0]
    seconds = random.uniform(0.05, 6.0)
    if kind in _TIMED:
        where = random.choice(guests) if kind is Kind.JOIN and guests else ""
        return Fault(number, kind, "", where, random.randrange(MAX_TENTHS), seconds)
    call, nth = _place(random, kind)
    return Fault(number, kind, random.choice([*workers, *guests]), call, nth, seconds, disk)


def _place(random: Random, kind: Kind) -> tuple[str, int]:
    """Half of the faults strike at any request, the others at those that matter most."""
    if kind is Kind.DISK_FULL:
        return WRITE, random.randint(1, 12)
    if kind in {Kind.LATE, Kind.EXPIRED} or random.random() < 0.6:
        return random.choice(PRODUCING), random.randint(1, 12)
    if random.random() < 0.3 and kind in {Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.STALL_AFTER}:
        return WRITE, random.randint(1, 12)
    return "", random.randint(1, 250)
