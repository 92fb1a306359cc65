"""The result of one check."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from runtime.errors import ExitCode


class Status(StrEnum):
    """Result of a check. The worker runs despite a warning, and not after a failure."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """The subject of a check, what it saw, and how to fix it. `exit_code` applies to failures."""

    subject: str
    status: Status
    seen: str
    fix: str = ""
    exit_code: ExitCode = ExitCode.UNAVAILABLE


def fine(subject: str, seen: str) -> Finding:
    """Return a finding without a problem."""
    return Finding(subject, Status.OK, seen)


def warning(subject: str, seen: str, fix: str) -> Finding:
    """Return a problem despite which the worker runs."""
    return Finding(subject, Status.WARN, seen, fix)


def failure(subject: str, sentence: str, exit_code: ExitCode = ExitCode.UNAVAILABLE) -> Finding:
    """Return a failure. Like our errors, the sentence says what is wrong and, after a semicolon, how to fix it."""
    seen, _, fix = sentence.partition("; ")
    return Finding(subject, Status.FAIL, seen, fix, exit_code)


def exit_code_of(findings: Iterable[Finding]) -> ExitCode:
    """Return the exit code of the failures; if they differ, wrong settings come first."""
    return min((finding.exit_code for finding in findings if finding.status is Status.FAIL), default=ExitCode.DONE)
