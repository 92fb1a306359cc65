"""The row files of one process: a folder for each partition, and a lock on all of them."""

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

from runtime.errors import UsageError
from runtime.state.disk import failure_at_start, refused
from runtime.state.memory_headroom import MemoryHeadroom
from runtime.state.rowfile.building import build_index
from runtime.state.rowfile.compaction import Compaction
from runtime.state.rowfile.index import Require
from runtime.state.rowfile.matcher import OpenMatcher
from runtime.state.rowfile.matchers import MATCHERS, best_matcher
from runtime.state.rowfile.partition import RowPartitionStore
from runtime.state.rowfile.row_files import RowFiles
from runtime.state.store import StateSize, exhaust

_LOCK = "rows.lock"


class RowFileState:
    """The stores of one process, in its own folder."""

    def __init__(
        self,
        folder: Path,
        *,
        compaction: Compaction | None = None,
        require: Require | None = None,
        open_matcher: OpenMatcher | None = None,
    ) -> None:
        """Lock the folder, which is created if missing. Raises UsageError if another process has it open."""
        self._folder = folder
        self._require = require or MemoryHeadroom().require
        self._compaction = compaction or Compaction()
        self._open_matcher = open_matcher or MATCHERS[best_matcher()]
        self._stores: dict[int, RowPartitionStore] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
            _lock(self._lock, folder)
        except OSError as error:
            raise failure_at_start(folder, error) from error

    def open(self, partition: int, changelog: str) -> RowPartitionStore:
        """Return the store of the partition, emptied first unless it is a copy of this changelog.

        An open store is returned unchanged. A damaged end is truncated; a file with a damaged header is deleted.
        Raises RetriableError if the disk refuses, and Unavailable if the index does not fit into memory.
        """
        return exhaust(self.open_in_steps(partition, changelog))

    def open_in_steps(self, partition: int, changelog: str) -> Generator[None, None, RowPartitionStore]:
        """Open in steps of about ten milliseconds. Closing the generator cancels the opening."""
        store = self._stores.get(partition)
        if store is not None and store.changelog == changelog:
            return store
        self.release(partition)
        try:
            files = yield from RowFiles.load(self._folder_of(partition), changelog)
            if files is None:
                return self.reset(partition, changelog)
            return (yield from self._open_store(partition, files, changelog))
        except OSError as error:
            raise refused("the state could not be read", error) from error

    def reset(self, partition: int, changelog: str) -> RowPartitionStore:
        """Return an empty store for the partition."""
        self.release(partition)
        try:
            files = RowFiles.create(self._folder_of(partition), changelog)
        except OSError as error:
            raise refused("the state could not be written", error) from error
        return exhaust(self._open_store(partition, files, changelog))

    def size(self) -> StateSize:
        """Return the size of all open stores."""
        return sum((store.size for store in list(self._stores.values())), start=StateSize())

    def release(self, partition: int) -> None:
        """Free the partition's memory and close its files; its entries stay on the disk."""
        store = self._stores.pop(partition, None)
        if store is not None:
            store.close()

    def close(self) -> None:
        """Truncate the files to their rows, and unlock the folder."""
        for partition in list(self._stores):
            self.release(partition)
        os.close(self._lock)

    def _folder_of(self, partition: int) -> Path:
        return self._folder / f"partition-{partition}"

    def _open_store(self, partition: int, files: RowFiles, changelog: str) -> Generator[None, None, RowPartitionStore]:
        with ExitStack() as stack:
            stack.callback(files.close)
            index, live_rows = yield from build_index(files, self._require)
            stack.pop_all()
        store = RowPartitionStore(
            files, changelog, index, live_rows=live_rows, compaction=self._compaction, open_matcher=self._open_matcher
        )
        self._stores[partition] = store
        return store


def discard_row_files(folder: Path) -> None:
    """Delete the row files in a folder, if there are any, and nothing else in it.

    Raises UsageError if a process has them open.
    """
    if (folder / _LOCK).exists():
        RowFileState(folder).close()
        for path in folder.glob("partition-*"):
            shutil.rmtree(path)
        (folder / _LOCK).unlink()


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UsageError(
            f"The state in {folder} is in use by another process; give each worker on a machine its own"
            " LINK_ACTIONS_INSTANCE_ID"
        ) from error
