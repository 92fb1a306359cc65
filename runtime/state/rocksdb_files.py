"""Detects a RocksDB in a folder without loading the library."""

from pathlib import Path

CURRENT = "CURRENT"
"""Written by RocksDB: names the newest manifest."""
DAMAGED = "damaged"
"""Written by us: marks the database in this folder as damaged."""


def has_database(folder: Path) -> bool:
    """Return whether the folder has a database, intact or damaged."""
    return any((folder / name).exists() for name in (CURRENT, DAMAGED))
