"""Mistakes, warnings and notes of files that authors write, each with its location."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from runtime.errors import UsageError
from runtime.terminal.text import printable


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """The file as the author named it, and line and column counted from 1."""

    file: str
    line: int
    column: int = 1


class Severity(StrEnum):
    """An error prevents publishing; a warning does not. A note says what is published, and is no mistake."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake, warning or note. `subject` names the link and action, or the script, if known.

    `sentence` says how to fix it, or for a note what is published.
    """

    location: SourceLocation
    subject: str
    sentence: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        about = f"{self.subject}: " if self.subject else ""
        severity = "" if self.severity is Severity.ERROR else f"{self.severity.value}: "
        location = f"{self.location.file}:{self.location.line}:{self.location.column}"
        return printable(f"{location}: {severity}{about}{self.sentence}")


class InvalidFiles(UsageError):
    """The files have mistakes; nothing was published. `what` names them, such as link files."""

    def __init__(self, mistakes: Iterable[Diagnostic], what: str = "link files") -> None:
        self.mistakes = in_order(mistakes)
        errors = sum(mistake.severity is Severity.ERROR for mistake in self.mistakes)
        warnings = len(self.mistakes) - errors
        counts = [_count(errors, "mistake")] * bool(errors) + [_count(warnings, "warning")] * bool(warnings)
        heading = f"{' and '.join(counts)} in the {what}; fix them and try again:"
        super().__init__("\n  ".join([heading, *map(str, self.mistakes)]))


def in_order(mistakes: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sort by file, line and column."""
    return sorted(mistakes, key=lambda mistake: (mistake.location.file, mistake.location.line, mistake.location.column))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
