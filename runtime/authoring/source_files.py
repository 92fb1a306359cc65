"""The files that authors write: found in and below folders, and read."""

import errno
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime.authoring.diagnostic import Diagnostic, SourceLocation

SUFFIXES = (".yaml", ".yml")

MAX_FILE_BYTES = 64 * 2**20
"""Far more than any such file has; a device or a wrong file would fill the RAM."""


_SCRIPTS = re.compile(rb"^scripts[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file's content and the name that the author passed."""

    name: str
    content: bytes

    @property
    def is_script_file(self) -> bool:
        """True if the file defines scripts; other files define links. Both may be in one folder."""
        return _SCRIPTS.search(self.content) is not None


def collect_sources(paths: Iterable[Path]) -> tuple[list[SourceFile], list[Diagnostic]]:
    """Read the files, each once even if it is named several times."""
    sources: dict[Path, SourceFile] = {}
    mistakes: list[Diagnostic] = []
    for path in paths:
        try:
            files = _files_below(path) if path.is_dir() else [path]
        except OSError as error:
            mistakes.append(_unreadable(path, error))
            continue
        if not files:
            mistakes.append(
                _no_file(path, f"no file in or below it ends in {' or '.join(SUFFIXES)}; name another folder")
            )
        for file in files:
            try:
                # Path.resolve raises on a loop of symbolic links; here, reading the file reports it.
                sources.setdefault(Path(os.path.realpath(file)), SourceFile(str(file), read_content(file)))
            except OSError as error:
                mistakes.append(_unreadable(file, error))
    return list(sources.values()), mistakes


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and not path.is_dir())


def read_content(file: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read the file. Raises OSError if it has more bytes than the limit; a device may even be endless."""
    with file.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit // 1024:,} KiB")
    return content


def _unreadable(file: Path, error: OSError) -> Diagnostic:
    return _no_file(file, f"the file cannot be read ({error.strerror}); check its name and permissions")


def _no_file(path: Path, sentence: str) -> Diagnostic:
    return Diagnostic(SourceLocation(str(path), 1), "", sentence)
