"""Opens the state store that the settings select."""

import importlib
from pathlib import Path

import structlog

from runtime.config.settings import Settings, StateStoreKind, instance_ids
from runtime.state.disk import failure_at_start, require_writable
from runtime.state.rocksdb_files import has_database
from runtime.state.rowfile.matchers import best_matcher
from runtime.state.rowfile.state import RowFileState, discard_row_files
from runtime.state.store import StateStore

_LOG = structlog.get_logger(__name__)


def open_state(settings: Settings) -> StateStore:
    """Open this instance's state in the selected store, and delete the files of the other store.

    They would take disk space and, if that store were selected again after weeks, still have the entries deleted
    meanwhile: the changelog keeps tombstones for a day. Raises UsageError if another process has the state open or
    another user owns it, or Unavailable.
    """
    folder = state_folder(settings)
    require_writable(folder)
    try:
        return _open_alone(settings, folder)
    except OSError as error:
        raise failure_at_start(folder, error) from error


def matcher_name() -> str:
    """Return the implementation of the row file's matcher that stores use."""
    return best_matcher()


def state_folder(settings: Settings) -> Path:
    """Return the state folder of this instance."""
    return settings.state_dir / settings.instance_id


def state_folders(settings: Settings, workers: int) -> list[Path]:
    """Return the state folder of each worker."""
    names = instance_ids(settings.instance_id, workers) if workers > 1 else [settings.instance_id]
    return [settings.state_dir / name for name in names]


def _open_alone(settings: Settings, folder: Path) -> StateStore:
    before = _size(folder)
    if settings.state_store is StateStoreKind.ROCKSDB:
        discard_row_files(folder)
    elif has_database(folder):
        importlib.import_module("runtime.state.rocksdb_database").discard_database(folder)
    freed = before - _size(folder)
    if freed:
        _LOG.warning("state.discarded", folder=str(folder), store=f"not {settings.state_store}", freed_bytes=freed)
    return _open_rocksdb(folder) if settings.state_store is StateStoreKind.ROCKSDB else RowFileState(folder)


def _open_rocksdb(folder: Path) -> StateStore:
    """Import the library only if it is used: it takes 7 MiB."""
    state: StateStore = importlib.import_module("runtime.state.rocksdb").RocksState(folder)
    return state


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
