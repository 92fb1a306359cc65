"""What is wrong in the link files, all of it, each with its place and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass

from consumer.errors import UsageError
from consumer.terminal.text import printable


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the file as the author named it, and the line, counted from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. `subject` names the link and action, as far as they are known; `sentence` says how to mend it."""

    place: Place
    subject: str
    sentence: str

    def __str__(self) -> str:
        about = f"{self.subject}: " if self.subject else ""
        return printable(f"{self.place.file}:{self.place.line}: {about}{self.sentence}")


class WrongLinkFiles(UsageError):
    """The link files hold mistakes; nothing was published."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: (mistake.place.file, mistake.place.line))
        count = len(self.mistakes)
        heading = "1 mistake in the link files" if count == 1 else f"{count} mistakes in the link files"
        super().__init__("\n  ".join([f"{heading}; mend and try again:", *map(str, self.mistakes)]))
