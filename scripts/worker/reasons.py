"""The reasons why a script update becomes a dead letter."""

from dataclasses import dataclass
from enum import StrEnum


class ScriptReason(StrEnum):
    """Values of `dlq.reason`, besides those of records that cannot be read; those of the sandbox come first."""

    SYNTAX = "syntax"
    THROWN = "thrown"
    OUT_OF_FUEL = "out_of_fuel"
    OUT_OF_MEMORY = "out_of_memory"
    STACK = "stack"
    OUTPUT_TOO_LARGE = "output_too_large"
    KILLED_CHILD = "killed_child"
    UNKNOWN_SCRIPT = "unknown_script"
    UNREADABLE_DEFINITION = "unreadable_definition"
    BAD_EFFECT = "bad_effect"
    KIND_NOT_DECLARED = "kind_not_declared"
    BAD_RETURN_URL = "bad_return_url"
    SCRIPT_DISABLED = "script_disabled"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an update has no effects. `message` may quote a person's data; it goes into the run record alone."""

    reason: StrEnum
    message: str = ""
    line: int | None = None
    column: int | None = None
    log: str = ""
    fuel: int | None = None
