"""A kind of fault."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.environment import Environment


@dataclass(frozen=True)
class Kind:
    """A kind of fault, and how often it occurs compared with the others.

    `act` makes it happen to the worker it is given and puts everything back, but for what a supervisor would do; it
    returns whether the fault hit a transaction that was seen to be open. `brokers` is the number it needs; some need a
    disk for each worker (see `disk`).
    """

    name: str
    act: "Callable[[Environment, str], bool]"
    weight: int = 1
    brokers: int = 1
    needs_disk: bool = False
