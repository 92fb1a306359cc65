"""A process killed in the middle of writing leaves a prefix of its writes, and no part of another.

The row files keep every write that was finished; RocksDB, which has no log of its own, may lose the newest ones.
"""

import random
import subprocess
import sys
import time
from pathlib import Path

from runtime.state.rocksdb import RocksState
from runtime.state.rowfile.state import RowFileState
from runtime.state.store import StateStore
from tests.state.batches import a_large_batch, follow

ROUNDS = 12
GENERATIONS = 3
"""Row files that must have been seen, so that a kill had the chance to meet the moving from one to another."""
ROW_FILES = """
from runtime.state.rowfile.compaction import Compaction
from runtime.state.rowfile.state import RowFileState

compaction = Compaction(min_dead_rows=3_000, per_write=500, per_row=2, deleted_per_write=200_000)
state = RowFileState(Path(sys.argv[1]), compaction=compaction)
"""
ROCKSDB = """
from runtime.state.rocksdb import RocksState

state = RocksState(Path(sys.argv[1]))
"""
WRITER = """
import sys
from pathlib import Path
from tests.state.batches import a_large_batch
{opening}
store = state.open(3, "changelog")
while True:
    position = store.position + 1
    store.write(a_large_batch(position), position)
    print(position, flush=True)
"""
"""Writes megabytes, so that some of them leave RocksDB's memory, where a killed process has left nothing."""


class Written:
    """What all writes up to a position leave."""

    def __init__(self) -> None:
        self.model: dict[bytes, bytes] = {}
        self.position = 0

    def check(self, state: StateStore) -> int:
        """Check that the store is the state at its position, which is not before the last one; return it."""
        store = state.open(3, "changelog")
        for position in range(self.position + 1, store.position + 1):
            follow(self.model, a_large_batch(position))
        assert store.position >= self.position
        self.position = store.position
        assert dict(store.scan(b"")) == self.model
        assert store.get_many(list(self.model)) == list(self.model.values())
        state.close()
        return self.position


def test_row_files_survive_sigkill_with_whole_batches(tmp_path: Path) -> None:
    chance, written, generations, rounds = random.Random(), Written(), set[str](), 0
    while rounds < ROUNDS or len(generations) < GENERATIONS:
        rounds += 1
        kept = write_and_be_killed(ROW_FILES, tmp_path, chance.uniform(0.02, 0.3))
        generations |= {path.name for path in (tmp_path / "partition-3").iterdir()}
        assert kept <= written.check(RowFileState(tmp_path)) <= kept + 1


def test_rocksdb_stores_whole_batches_with_their_position(tmp_path: Path) -> None:
    chance, written, rounds = random.Random(), Written(), 0
    while rounds < ROUNDS or not written.position:
        rounds += 1
        kept = write_and_be_killed(ROCKSDB, tmp_path, chance.uniform(0.02, 0.6))
        assert written.check(RocksState(tmp_path)) <= kept + 1


def write_and_be_killed(opening: str, folder: Path, seconds: float) -> int:
    """Return the last position that the writer knew to be kept."""
    command = [sys.executable, "-c", WRITER.format(opening=opening), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        first = writer.stdout.readline() if writer.stdout else ""  # it is writing now
        time.sleep(seconds)
        writer.kill()
        lines = [first, *(writer.stdout or [])]
    return int(next(line for line in reversed(lines) if line.endswith("\n")))
