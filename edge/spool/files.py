"""Lists files of folders that another process may remove meanwhile."""

from collections.abc import Iterator
from pathlib import Path


def paths_in(folder: Path) -> list[Path]:
    """Return what a folder holds, in order; nothing if it has just been removed. Raises other OSErrors."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def files_of_all(spool: Path, *, with_part: str) -> Iterator[Path]:
    """Yield the files of all folders of a spool whose name has this part. Raises OSError as `paths_in` does."""
    for folder in paths_in(spool):
        yield from (path for path in paths_in(folder) if with_part in path.name)
