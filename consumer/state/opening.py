"""Which store the settings ask for, alone in its folder."""

import importlib
from pathlib import Path

import structlog

from consumer.settings import Settings, StateStoreKind
from consumer.state.rocksdb_files import has_database
from consumer.state.rowfile.state import RowFileState, discard_row_files
from consumer.state.store import StateStore

_LOG = structlog.get_logger(__name__)


def open_state(settings: Settings) -> StateStore:
    """Open the state of this instance in the store that is wanted, and delete what the other one left in the folder.

    Left there it would take the disk and, taken up again after weeks, remember what was deleted meanwhile: the
    changelog keeps deletions for a day. Raises UsageError where another process works with it, or Unavailable.
    """
    folder = settings.state_dir / settings.instance_id
    before = _size(folder)
    if settings.state_store is StateStoreKind.ROCKSDB:
        discard_row_files(folder)
    elif has_database(folder):
        importlib.import_module("consumer.state.rocksdb_database").discard_database(folder)
    freed = before - _size(folder)
    if freed:
        _LOG.warning("state.discarded", folder=str(folder), store=f"not {settings.state_store}", freed_bytes=freed)
    return _open_rocksdb(folder) if settings.state_store is StateStoreKind.ROCKSDB else RowFileState(folder)


def _open_rocksdb(folder: Path) -> StateStore:
    """Load the library only where it is wanted: it takes 7 MiB."""
    state: StateStore = importlib.import_module("consumer.state.rocksdb").RocksState(folder)
    return state


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
