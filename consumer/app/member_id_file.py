"""The member id that this instance had last, beside its state: how a restart knows its own former membership."""

from contextlib import suppress

from consumer.loop.marker_file import MarkerFile
from consumer.ports import RetriableError


class MemberIdFile:
    """Keeps one member id on a page."""

    def __init__(self, page: MarkerFile) -> None:
        self._page = page

    def read(self) -> str:
        """Return what was noted last; empty at first."""
        return self._page.read().decode("utf-8", "replace").partition("\n")[0]

    def write(self, member_id: str) -> None:
        """Note it, if the disk takes it: without the note a restart waits until the former membership is over."""
        with suppress(RetriableError):
            self._page.write(f"{member_id}\n".encode())
