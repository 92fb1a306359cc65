"""The restart policy: a pure function of a worker's exits, without randomness."""

from runtime.errors import ExitCode

FIRST_DELAY_SECONDS = 0.5
SHORT_LIFE_SECONDS = 60.0
"""A worker that ran longer starts again with an empty record."""
MAX_SHORT_LIVES = 5
"""Consecutive short lives that make a crash loop."""

FENCED_DELAY_SECONDS = 15.0
"""Delay before a fenced worker restarts. It never fences the other in turn: it exits while its instance id is taken."""

NOT_RESTARTED = frozenset((ExitCode.USAGE, ExitCode.TOO_MANY_BAD_RECORDS, ExitCode.CONTRADICTORY))
"""Exit codes that a restart does not resolve. Bad records and contradictions would stop the partition's next owner too,
so an operator must act first."""

_BY_SEVERITY = (
    ExitCode.DONE,
    ExitCode.UNEXPECTED,
    ExitCode.UNAVAILABLE,
    ExitCode.USAGE,
    ExitCode.TOO_MANY_BAD_RECORDS,
    ExitCode.FATAL_KAFKA_ERROR,
    ExitCode.CONTRADICTORY,
)


class Restarts:
    """The restarts of one worker. The delays are 0.5, 1, 2 and 4 seconds; the next short life is a crash loop.

    Being fenced never counts as a crash loop: only this worker's instance id is taken, and its siblings have others.
    """

    def __init__(self) -> None:
        self._short_lives = 0

    def delay_after(self, code: ExitCode, uptime_seconds: float) -> float | None:
        """Return the delay in seconds before its restart; None if it must not restart."""
        if code in NOT_RESTARTED:
            return None
        if code is ExitCode.FATAL_KAFKA_ERROR:
            return FENCED_DELAY_SECONDS
        self._short_lives = self._short_lives + 1 if uptime_seconds < SHORT_LIFE_SECONDS else 1
        if self._short_lives >= MAX_SHORT_LIVES:
            return None
        return FIRST_DELAY_SECONDS * float(1 << (self._short_lives - 1))


def code_of(returncode: int) -> ExitCode:
    """Return the exit code of a process; a signal or an unknown code is UNEXPECTED."""
    return ExitCode(returncode) if returncode in set(ExitCode) else ExitCode.UNEXPECTED


def more_severe(one: ExitCode, other: ExitCode) -> ExitCode:
    """Return the one that an operator must see first."""
    return max(one, other, key=_BY_SEVERITY.index)
