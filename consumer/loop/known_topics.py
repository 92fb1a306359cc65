"""Which topics the disk of a worker is a copy of: told by a line that outlives the process, beside the state."""

from pathlib import Path

from consumer.loop.marker_file import FakeMarkerFile, MarkerFile

TOPICS_FILE = "topics"
"""In the folder of an instance."""


class KnownTopics:
    """The changelog of one group, and the clicks that it was made from, by cluster and topic id."""

    def __init__(self, page: MarkerFile, group: str) -> None:
        self._page = page
        self._group = group

    def take(self, changelog: str, clicks: str) -> None:
        """Remember these. Raises RetriableError where the disk does not take it."""
        line = self._line(changelog, clicks)
        if self._read() != line:
            self._page.write(line + b"\n")

    def had_memory(self, changelog: str, clicks: str) -> bool:
        """Tell whether the disk is a copy of another changelog of this group that was made from the same clicks."""
        known, now = self._read().split(b" "), self._line(changelog, clicks).split(b" ")
        return len(known) == len(now) and (known[0], known[2]) == (now[0], now[2]) and known[1] != now[1]

    def _read(self) -> bytes:
        return self._page.read().partition(b"\n")[0]

    def _line(self, changelog: str, clicks: str) -> bytes:
        return f"{self._group} {changelog} {clicks}".encode()


def read_known_topics(path: Path, group: str) -> KnownTopics:
    """Return what a worker has left in the file, without making one where there is none."""
    page = FakeMarkerFile()
    if path.is_file():
        page.write(path.read_bytes())
    return KnownTopics(page, group)
