"""A full disk is an error that passes, never a signal and never half a batch."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.state.rowfile.moving import Moving
from consumer.state.rowfile.state import RowFileState
from consumer.streams import Unreachable
from tests.state.batches import Batch, a_batch, follow

DISK_BYTES = 6_000_000
FILLER_BYTES = 3_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
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


@pytest.mark.parametrize("least_dead_rows", [10**9, 1_000], ids=["one file", "moving"])
def test_a_batch_that_found_the_disk_full_is_kept_once_there_is_room(small_disk: Path, least_dead_rows: int) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(FILLER_BYTES))
    state = RowFileState(small_disk / "state", moving=Moving(least_dead_rows=least_dead_rows))
    store, model, position = state.open(0, "changelog"), dict[bytes, bytes](), 0
    while True:
        batch = a_large_batch(position)
        try:
            store.write(batch, position + 1)
        except Unreachable:
            break
        position += 1
        follow(model, batch)
    assert position > 5
    for _ in range(3):
        with pytest.raises(Unreachable, match="could not be written"):
            store.write(batch, position + 1)
    assert store.position == position
    assert store.get_many(list(model)) == list(model.values())

    filler.unlink()
    store.write(batch, position + 1)
    follow(model, batch)
    assert store.get_many(list(model)) == list(model.values())
    state.close()
    state = RowFileState(small_disk / "state")
    store = state.open(0, "changelog")
    assert store.position == position + 1
    assert dict(store.scan(b"")) == model
    state.close()


def a_large_batch(number: int) -> Batch:
    batch = a_batch(number)
    return batch | {b"%d/%d" % (number, key): bytes(10) for key in range(2_000)}
