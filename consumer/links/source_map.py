"""Maps values of a link file to line and column, link and action."""

from consumer.links.diagnostic import Diagnostic, Severity, SourceLocation
from consumer.links.yaml_document import Document, Path

LINK = 2
"""Length of the path to a link: `links` and its index."""
ACTION = 4
"""Length of the path to an action: the link's, `actions` and its index."""
_REDIRECT = ("response", "redirect")


class SourceMap:
    """Locations of one document; `file` is the name that the author passed."""

    def __init__(self, file: str, document: Document) -> None:
        self.file = file
        self._lines = document.lines
        self._columns = document.columns
        self._texts = document.texts

    def path(self, location: Path) -> Path:
        """Return the path of the innermost value at pydantic's location that is in the file.

        Pydantic adds the kind after an action's index, and after `redirect` whether it is a list; the path has no such
        steps.
        """
        if location[LINK : LINK + 1] == ("actions",) or location[LINK:ACTION] == _REDIRECT:
            location = (*location[:ACTION], *location[ACTION + 1 :])
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
        return Diagnostic(self.location(path), self._subject(path), sentence, severity)

    def _subject(self, path: Path) -> str:
        if path[:1] != ("links",) or len(path) < LINK:
            return ""
        link = self._texts.get((*path[:LINK], "id")) or f"number {_number(path[LINK - 1])}"
        if len(path) < ACTION or path[LINK] != "actions":
            return f"link {link}"
        action, kind = path[:ACTION], self._texts.get((*path[:ACTION], "kind"))
        nameless = f"number {_number(path[ACTION - 1])}{f' ({kind})' if kind else ''}"
        return f"link {link}, action {self._texts.get((*action, 'id')) or nameless}"


def _number(index: str | int) -> int:
    return int(index) + 1
