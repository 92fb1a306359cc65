"""One thing that was looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from consumer.errors import ExitCode


class Status(StrEnum):
    """Whether it is as it must be; with a warning the worker runs all the same."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was seen, and how to mend it. `exit_code` is what a failure of it means."""

    subject: str
    status: Status
    seen: str
    mend: str = ""
    exit_code: ExitCode = ExitCode.UNAVAILABLE


def fine(subject: str, seen: str) -> Finding:
    """Return that it is as it must be."""
    return Finding(subject, Status.OK, seen)


def warning(subject: str, seen: str, mend: str) -> Finding:
    """Return that it had better be otherwise."""
    return Finding(subject, Status.WARN, seen, mend)


def failure(subject: str, sentence: str, exit_code: ExitCode = ExitCode.UNAVAILABLE) -> Finding:
    """Return that it is wrong; the sentence says what and, after a semicolon, how to mend it, as our errors do."""
    seen, _, mend = sentence.partition("; ")
    return Finding(subject, Status.FAIL, seen, mend, exit_code)


def exit_code_of(findings: Iterable[Finding]) -> ExitCode:
    """Return the exit code of all: that of the failures, and where they differ that of the settings."""
    return min((finding.exit_code for finding in findings if finding.status is Status.FAIL), default=ExitCode.DONE)
