"""When each worker is killed: chance by seed, spread over the whole run."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

IN_TRANSACTION = 0.5
"""Share of the kills that look for an open transaction."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Kills the victim a little after the given number of clicks is committed.

    Clicks from `resume_at` on, which is less, are published only once the victim has come back from its last death;
    so it is at work when it dies. Those from `halt_at` on wait for the kill. `in_transaction` asks to strike when a
    transaction of the victim is seen to be open, which blind chance does once in ten.
    """

    victim: str
    resume_at: int
    committed: int
    halt_at: int
    later_seconds: float
    in_transaction: bool


def plan_kills(victims: Sequence[str], *, clicks: int, kills: int, seed: int) -> list[Kill]:
    """Return `kills` kills of each victim, in the order in which they happen, each in its own piece of the run."""
    chance = Random(seed)
    order = [victim for victim in victims for _ in range(kills)]
    chance.shuffle(order)
    piece = clicks // len(order)
    return [
        Kill(
            victim,
            resume_at=number * piece,
            committed=number * piece + chance.randrange(1, max(piece // 2, 2)),
            halt_at=(number + 1) * piece,
            later_seconds=chance.uniform(0.0, 0.1),
            in_transaction=chance.random() < IN_TRANSACTION,
        )
        for number, victim in enumerate(order)
    ]
