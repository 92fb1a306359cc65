"""The row files of one process: a folder for each partition, and a lock on all of them."""

import fcntl
import os
from pathlib import Path

from consumer.errors import Unavailable, UsageError
from consumer.state.rowfile.moving import Moving
from consumer.state.rowfile.partition import RowPartitionStore
from consumer.state.rowfile.row_files import RowFiles
from consumer.streams import Unreachable

_LOCK = "rows.lock"


class RowFileState:
    """The stores of one process, in a folder of its own."""

    def __init__(self, folder: Path, *, moving: Moving | None = None) -> None:
        """Lock the folder, made where it is missing. Raises UsageError where another process has it open."""
        self._folder = folder
        self._moving = moving or Moving()
        self._stores: dict[int, RowPartitionStore] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
            _lock(self._lock, folder)
        except OSError as error:
            raise Unavailable(f"The state in {folder} cannot be opened ({error})") from error

    def open(self, partition: int, changelog: str) -> RowPartitionStore:
        """Return the store of the partition, emptied first unless it is a copy of that very changelog.

        One that is open already is returned as it is. What is damaged is cut off, or forgotten where it must be.
        """
        store = self._stores.get(partition)
        if store is not None and store.changelog == changelog:
            return store
        self.release(partition)
        try:
            files = RowFiles.load(self._of(partition), changelog)
        except OSError as error:
            raise Unreachable(f"the state could not be read: {error}") from error
        return self.reset(partition, changelog) if files is None else self._keep(partition, files, changelog)

    def reset(self, partition: int, changelog: str) -> RowPartitionStore:
        """Return an empty store for the partition."""
        self.release(partition)
        try:
            files = RowFiles.create(self._of(partition), changelog)
        except OSError as error:
            raise Unreachable(f"the state could not be written: {error}") from error
        return self._keep(partition, files, changelog)

    def release(self, partition: int) -> None:
        """Let go of the partition's memory and files; its entries stay on the disk."""
        store = self._stores.pop(partition, None)
        if store is not None:
            store.close()

    def close(self) -> None:
        """Cut the files to what is in them, and unlock the folder."""
        for partition in list(self._stores):
            self.release(partition)
        os.close(self._lock)

    def _of(self, partition: int) -> Path:
        return self._folder / f"partition-{partition}"

    def _keep(self, partition: int, files: RowFiles, changelog: str) -> RowPartitionStore:
        store = RowPartitionStore(files, changelog, moving=self._moving)
        self._stores[partition] = store
        return store


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UsageError(
            f"The state in {folder} is in use by another process; give each worker on a machine its own"
            " LINK_ACTIONS_INSTANCE_ID"
        ) from error
