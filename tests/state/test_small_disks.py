"""A full disk is an error that passes, never a signal and never half a batch."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.errors import UsageError
from runtime.ports import RetriableError
from runtime.state.rocksdb import RocksState
from runtime.state.rowfile.compaction import Compaction
from runtime.state.rowfile.state import RowFileState
from runtime.state.store import PartitionStore, StateStore
from tests.state.batches import Batch, a_batch, follow
from tests.support.waiting import wait_until

DISK_BYTES = 60_000_000
FILLER_BYTES = 50_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of some megabytes."""
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("There is no mount command, so no small disk can be made.")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"No small disk can be mounted, which takes the rights of root: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run([mount.replace("mount", "umount"), str(tmp_path)], check=True)


def one_file(folder: Path) -> StateStore:
    return RowFileState(folder, compaction=Compaction(min_dead_rows=10**9))


def moving_rows(folder: Path) -> StateStore:
    return RowFileState(folder, compaction=Compaction(min_dead_rows=1_000))


@pytest.mark.parametrize("open_state", [one_file, moving_rows, RocksState])
def test_batch_is_stored_once_a_full_disk_has_room(small_disk: Path, open_state: Callable[[Path], StateStore]) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(FILLER_BYTES))
    state = open_state(small_disk / "state")
    store, model, position = state.open(0, "changelog"), dict[bytes, bytes](), 0
    while True:
        batch = a_batch_to_fill(position)
        try:
            store.write(batch, position + 1)
        except RetriableError:
            break
        position += 1
        follow(model, batch)
    assert position > 5
    for _ in range(3):
        with pytest.raises(RetriableError, match="could not be written"):
            store.write(batch, position + 1)
    assert store.position == position
    assert store.get_many(list(model)) == list(model.values())

    filler.unlink()
    wait_until(lambda: is_kept(store, batch, position + 1), "the batch is kept")
    follow(model, batch)
    assert store.get_many(list(model)) == list(model.values())
    state.close()
    state = open_state(small_disk / "state")
    store = state.open(0, "changelog")
    assert store.position == position + 1
    assert dict(store.scan(b"")) == model
    state.close()


@pytest.mark.parametrize("open_state", [RowFileState, RocksState])
def test_a_disk_that_may_only_be_read_is_told_and_keeps_what_is_there(
    small_disk: Path, open_state: Callable[[Path], StateStore]
) -> None:
    state = open_state(small_disk / "state")
    state.open(0, "changelog").write({b"key": b"value"}, 7)
    state.close()
    remount(small_disk, "ro")
    with pytest.raises(UsageError, match=r"cannot be written .*LINK_ACTIONS_STATE_DIR"):
        open_state(small_disk / "state")
    remount(small_disk, "rw")
    state = open_state(small_disk / "state")
    store = state.open(0, "changelog")
    assert (store.position, store.get_many([b"key"])) == (7, [b"value"])
    state.close()


def is_kept(store: PartitionStore, batch: Batch, position: int) -> bool:
    """Try the write again, as the loop does; RocksDB takes a moment to see that there is room."""
    try:
        store.write(batch, position)
    except RetriableError:
        return False
    return True


def remount(folder: Path, how: str) -> None:
    subprocess.run([shutil.which("mount") or "mount", "-o", f"remount,{how}", str(folder)], check=True)


def a_batch_to_fill(number: int) -> Batch:
    batch: Batch = {key: value for key, value in a_batch(number).items() if key}
    return batch | {b"%d/%d" % (number, key): bytes(10) for key in range(2_000)}
