"""Draws kinds and order of the faults by seed; every kind occurs if there are enough faults."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from tests.chaos import broker_faults, cluster_faults, state_faults, worker_faults
from tests.chaos.environment import WORKERS
from tests.chaos.kind import Kind

KINDS: tuple[Kind, ...] = (
    *worker_faults.KINDS,
    *state_faults.KINDS,
    *broker_faults.KINDS,
    *cluster_faults.KINDS,
)
ROUND = 30
"""Most faults of one round."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `seed` decides its details."""

    kind: Kind
    victim: str
    seed: int


@dataclass(frozen=True, slots=True)
class Round:
    """Faults on the same topics, with a number of brokers and the clicks of a seed."""

    brokers: int
    faults: Sequence[Fault]
    seed: int


def plan_rounds(faults: int, seed: int, kinds: Sequence[Kind] = KINDS) -> list[Round]:
    """Return that many faults in rounds, those on one broker first; each kind at least once if there are enough."""
    chance = Random(seed)
    names = chance.sample(kinds, k=min(faults, len(kinds)))
    names += chance.choices(kinds, weights=[kind.weight for kind in kinds], k=faults - len(names))
    chance.shuffle(names)
    planned = [Fault(kind, chance.choice(WORKERS), chance.getrandbits(32)) for kind in names]
    rounds = []
    for brokers in sorted({kind.brokers for kind in kinds}):
        mine = iter([fault for fault in planned if fault.kind.brokers == brokers])
        while some := list(islice(mine, ROUND)):
            rounds.append(Round(brokers, some, chance.getrandbits(32)))
    return rounds
