"""Keeps the last member id of this instance beside its state, so that a restart recognizes its own old membership."""

from contextlib import suppress

from runtime.ports import RetriableError
from runtime.stream.marker_file import MarkerFile


class MemberIdFile:
    """Keeps one member id in a file."""

    def __init__(self, file: MarkerFile) -> None:
        self._file = file

    def read(self) -> str:
        """Return the last member id; empty at first."""
        return self._file.read().decode("utf-8", "replace").partition("\n")[0]

    def write(self, member_id: str) -> None:
        """Write it if the disk accepts it; without it a restart waits until the old membership expires."""
        with suppress(RetriableError):
            self._file.write(f"{member_id}\n".encode())
