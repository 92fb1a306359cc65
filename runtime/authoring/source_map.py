"""Maps values of a file to line and column."""

from runtime.authoring.diagnostic import Diagnostic, Severity, SourceLocation
from runtime.authoring.yaml_document import Document, Path


class SourceMap:
    """Locations of one document; `file` is the name that the author passed."""

    def __init__(self, file: str, document: Document) -> None:
        self.file = file
        self._lines = document.lines
        self._columns = document.columns
        self._texts = document.texts

    def path(self, location: Path) -> Path:
        """Return the path of the innermost value at pydantic's location that is in the file."""
        while location not in self._lines and location:
            location = location[:-1]
        return location

    def location(self, path: Path) -> SourceLocation:
        """Return the location of a value."""
        return SourceLocation(self.file, self._lines.get(path, 1), self._columns.get(path, 1))

    def text(self, path: Path) -> str | None:
        """Return the text of a scalar."""
        return self._texts.get(path)

    def mistake(self, path: Path, sentence: str, severity: Severity = Severity.ERROR) -> Diagnostic:
        """Return a diagnostic at a value."""
        return Diagnostic(self.location(path), self.subject(path), sentence, severity)

    def subject(self, path: Path) -> str:
        """Return the name of what a value belongs to, such as a link and an action."""
        return self.named(path[:2], path[0].rstrip("s")) if len(path) > 1 and isinstance(path[0], str) else ""

    def named(self, path: Path, noun: str) -> str:
        """Return noun and id of an item of a list, or its number."""
        return f"{noun} {self.text((*path, 'id')) or f'number {number_of(path)}'}"


def number_of(path: Path) -> int:
    """Return the number, from 1, of an item of a list."""
    return int(path[-1]) + 1
