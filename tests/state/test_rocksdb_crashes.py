"""A process killed in the middle of writing leaves a prefix of what it wrote, and the position that goes with it."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.errors import Unavailable
from consumer.state.rocksdb import RocksState
from consumer.streams import Unreachable

ROUNDS = 5
WRITER = """
import sys
from pathlib import Path
from consumer.state.rocksdb import RocksState

store = RocksState(Path(sys.argv[1])).open(3, "changelog")
while True:
    number = store.position
    batch = {b"%d/%d" % (number, key): bytes(4_000) for key in range(250)}
    store.write(batch | {b"newest": b"%d" % number, b"%d/0" % (number - 1): None}, number + 1)
    print(number, flush=True)
"""
"""Writes megabytes, so that some of them leave memory for the disk, where a killed process has left nothing else."""


def test_a_killed_process_leaves_whole_batches_only_and_the_position_after_them(tmp_path: Path) -> None:
    chance, positions = random.Random(), []
    for _ in range(ROUNDS):
        write_and_be_killed(tmp_path, chance.randrange(20, 60))
        state = RocksState(tmp_path)
        store = state.open(3, "changelog")
        positions.append(store.position)
        assert dict(store.scan(b"")) == entries_before(store.position)
        state.close()
    assert positions == sorted(positions)
    assert positions[-1] > 0, "nothing ever reached the disk, so the test saw too little"


def entries_before(position: int) -> dict[bytes, bytes]:
    """What the batches before this position leave."""
    whole = {b"%d/%d" % (number, key): bytes(4_000) for number in range(position) for key in range(250)}
    deleted = {b"%d/0" % number for number in range(position - 1)}
    newest = {b"newest": b"%d" % (position - 1)} if position else {}
    return {key: value for key, value in (whole | newest).items() if key not in deleted}


def write_and_be_killed(folder: Path, batches: int) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True) as writer:
        for _ in zip(range(batches), writer.stdout or [], strict=False):
            pass
        writer.kill()


FULL = """
import resource, sys
from pathlib import Path
from consumer.state.rocksdb import RocksState
from consumer.streams import Unreachable

state = RocksState(Path(sys.argv[1]))
store = state.open(3, "changelog")
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
try:
    while True:
        number = store.position
        store.write({b"%d/%d" % (number, key): bytes(4_000) for key in range(250)}, number + 1)
except Unreachable as error:
    assert store.position == number, "the position moved without its entries"
    assert store.get_many([b"%d/0" % number]) == [None], "half a batch was kept"
    print(error)
    state.close()
"""


def test_a_disk_that_refuses_is_told_and_nothing_of_the_batch_is_kept(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the state could not be written: ")
    assert "state.unflushed" in done.stdout
    assert RocksState(tmp_path).open(3, "changelog").position == 0


def test_a_damaged_database_is_told_with_what_to_do(tmp_path: Path) -> None:
    RocksState(tmp_path).close()
    (tmp_path / "CURRENT").write_bytes(b"garbage")

    with pytest.raises(Unavailable, match="delete the folder, and it is rebuilt"):
        RocksState(tmp_path)


def test_writing_into_a_closed_database_is_no_crash(tmp_path: Path) -> None:
    state = RocksState(tmp_path)
    store = state.open(0, "changelog")
    state.close()

    with pytest.raises(Unreachable, match="could not be written"):
        store.write({b"a": b"1"}, 1)
