"""What QuickJS tells of an error, as a failure with the place in the author's source."""

import re
from collections.abc import Sequence

from scripts.sandbox.run import FailureReason, ScriptFailure

_FUNCTION_LINES = 2
"""Lines that QuickJS puts before the body of a function that is made from text."""
_PLACE = re.compile(r"<input>:(\d+):(\d+)")
_MAX_MESSAGE = 500

Described = Sequence[str]
"""Name, message and stack of an error."""


def syntax_failure(described: Described, *, prefix: int, source: str, fuel_used: int) -> ScriptFailure:
    """Return the failure of a source that cannot be compiled. `prefix` is as in `thrown_failure`."""
    failure = thrown_failure(described, prefix=prefix, fuel_used=fuel_used)
    if failure.reason is not FailureReason.THROWN:
        return failure
    line, column = failure.line, failure.column
    lines = source.split("\n")
    if line is not None and line > len(lines):  # the end of the source is too early
        line, column = len(lines), None
    # QuickJS 0.15 often counts the columns of a syntax error from an earlier line.
    if line is not None and column is not None and column > len(lines[line - 1]) + 1:
        column = None
    return ScriptFailure(FailureReason.SYNTAX, failure.message, line, column, fuel_used=fuel_used)


def thrown_failure(described: Described, *, prefix: int, log: str = "", fuel_used: int) -> ScriptFailure:
    """Return the failure of an error that a run has thrown.

    `prefix` is the length of what comes before the source on its first line.
    """
    name, message, stack = described
    line, column = _place(stack, prefix)
    text = f"{name}: {message}"[:_MAX_MESSAGE] if name else message[:_MAX_MESSAGE]
    return ScriptFailure(_reason(name, message), text, line, column, log, fuel_used)


def _reason(name: str, message: str) -> FailureReason:
    if name == "InternalError" and "memory" in message:
        return FailureReason.OUT_OF_MEMORY
    if name in {"InternalError", "RangeError"} and "stack" in message.lower():
        return FailureReason.STACK
    return FailureReason.THROWN


def _place(stack: str, prefix: int) -> tuple[int | None, int | None]:
    """Return line and column of the innermost place in the author's source."""
    found = _PLACE.search(stack)
    if found is None:
        return None, None
    line, column = int(found[1]) - _FUNCTION_LINES, int(found[2])
    if line < 1:
        return None, None
    column = column - prefix if line == 1 else column
    return line, column if column >= 1 else None
