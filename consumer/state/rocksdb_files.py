"""By which files a folder with a RocksDB is known: for those who ask without having the library loaded."""

from pathlib import Path

CURRENT = "CURRENT"
"""RocksDB's own: names the newest manifest."""
DAMAGED = "damaged"
"""Ours: tells that the database beside it was found to be damaged."""


def has_database(folder: Path) -> bool:
    """Tell whether there is a database, sound or damaged."""
    return any((folder / name).exists() for name in (CURRENT, DAMAGED))
