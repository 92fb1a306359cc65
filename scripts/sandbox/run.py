"""A run of a script, as values: what it is given, what it returns, and why it fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ENGINE = "js-1"
"""Language and engine of scripts; another guest or prelude needs another name."""
DEFAULT_FUEL = 100_000_000
"""WebAssembly instructions of a run, about 10 to 25 ms of CPU."""
MAX_FUEL = 500_000_000
MAX_SOURCE_BYTES = 65_536
MAX_PARAMETER_BYTES = 4_096
MAX_EFFECTS = 20
MAX_OUTPUT_BYTES = 65_536
MAX_LOG_CHARACTERS = 4_096
MAX_INPUT_BYTES = 65_536


class FailureReason(StrEnum):
    """The reasons why a run fails; the words of dead letters and metrics."""

    SYNTAX = "syntax"
    THROWN = "thrown"
    OUT_OF_FUEL = "out_of_fuel"
    OUT_OF_MEMORY = "out_of_memory"
    STACK = "stack"
    OUTPUT_TOO_LARGE = "output_too_large"
    KILLED_CHILD = "killed_child"


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """What a run depends on, and all it depends on.

    `seed` seeds `Math.random`; `clicked_at_ms` is the time of `Date`, in milliseconds since 1970 UTC. `names` are the
    constants that the script sees: texts, numbers, None, and mappings of these.
    """

    source: str
    seed: str
    clicked_at_ms: int
    names: Mapping[str, Any] = field(default_factory=dict)
    fuel: int = DEFAULT_FUEL


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """What a script has emitted, in its order, as JSON values; `return_url` is `returnUrl` at its end."""

    effects: tuple[Any, ...]
    return_url: Any
    log: str
    fuel_used: int


@dataclass(frozen=True, slots=True)
class ScriptFailure:
    """Why a run failed. `line` and `column` begin with 1, None where they are not known.

    `message` may quote what the script has read: it belongs into run records, never into logs or headers.
    """

    reason: FailureReason
    message: str = ""
    line: int | None = None
    column: int | None = None
    log: str = ""
    fuel_used: int | None = None


Outcome = ScriptResult | ScriptFailure
