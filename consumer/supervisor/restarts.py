"""Whether a worker that ended is started again, and when: a pure function of how it ended, with no chance in it."""

from consumer.errors import ExitCode

FIRST_DELAY_SECONDS = 0.5
SHORT_LIFE_SECONDS = 60.0
"""A worker that ran longer has shown that it can; its next end counts as the first."""
MAX_SHORT_LIVES = 5
"""Short lives in a row that make a crash loop."""

FENCED_DELAY_SECONDS = 15.0
"""Until a fenced worker is started again. It fences no other in turn: it looks who has its name first, and leaves."""

NOT_RESTARTED = frozenset((ExitCode.USAGE, ExitCode.TOO_MANY_BAD_RECORDS, ExitCode.CONTRADICTORY))
"""What starting again does not resolve. Bad records, or a contradiction, would stop the partition's next owner too: a
person must look first."""

_BY_WEIGHT = (
    ExitCode.DONE,
    ExitCode.UNEXPECTED,
    ExitCode.UNAVAILABLE,
    ExitCode.USAGE,
    ExitCode.TOO_MANY_BAD_RECORDS,
    ExitCode.STREAM_FATAL,
    ExitCode.CONTRADICTORY,
)


class Restarts:
    """The short lives of one worker. The delays are 0.5, 1, 2, 4 seconds, and then it is a crash loop.

    A worker that was fenced is no crash loop, however often: only the name it has is, and its siblings have others.
    """

    def __init__(self) -> None:
        self._short_lives = 0

    def delay_after(self, code: ExitCode, lived_seconds: float) -> float | None:
        """Return after how many seconds to start it again; None where it must not be."""
        if code in NOT_RESTARTED:
            return None
        if code is ExitCode.STREAM_FATAL:
            return FENCED_DELAY_SECONDS
        self._short_lives = self._short_lives + 1 if lived_seconds < SHORT_LIFE_SECONDS else 1
        if self._short_lives >= MAX_SHORT_LIVES:
            return None
        return FIRST_DELAY_SECONDS * float(1 << (self._short_lives - 1))


def code_of(returncode: int) -> ExitCode:
    """Return the exit code that a process ended with; a signal, or a code that nobody knows, is unexpected."""
    return ExitCode(returncode) if returncode in set(ExitCode) else ExitCode.UNEXPECTED


def more_severe(one: ExitCode, other: ExitCode) -> ExitCode:
    """Return the one that a person must hear of first."""
    return max(one, other, key=_BY_WEIGHT.index)
