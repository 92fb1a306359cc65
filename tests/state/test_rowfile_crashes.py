"""A process killed in the middle of writing leaves all that its finished writes kept, and no part of another."""

import random
import subprocess
import sys
import time
from pathlib import Path

from consumer.state.rowfile.state import RowFileState
from tests.state.batches import a_batch, follow

ROUNDS = 12
GENERATIONS = 3
"""Files that must have been seen, so that a kill had the chance to meet the moving from one to another."""
WRITER = """
import sys
from pathlib import Path
from consumer.state.rowfile.moving import Moving
from consumer.state.rowfile.state import RowFileState
from tests.state.batches import a_batch

moving = Moving(least_dead_rows=3_000, per_write=500, per_row=2, deleted_per_write=20_000)
store = RowFileState(Path(sys.argv[1]), moving=moving).open(0, "changelog")
while True:
    position = store.position + 1
    store.write(a_batch(position), position)
    print(position, flush=True)
"""


def test_nothing_is_lost_or_torn_when_the_process_is_killed(tmp_path: Path) -> None:
    chance, model, followed = random.Random(), dict[bytes, bytes](), 0
    generations, rounds = set[str](), 0
    while rounds < ROUNDS or len(generations) < GENERATIONS:
        rounds += 1
        kept = write_and_be_killed(tmp_path, chance.uniform(0.02, 0.3))
        generations |= {path.name for path in (tmp_path / "partition-0").iterdir()}
        state = RowFileState(tmp_path)
        store = state.open(0, "changelog")
        assert kept <= store.position <= kept + 1
        for position in range(followed + 1, store.position + 1):
            follow(model, a_batch(position))
        followed = store.position
        assert dict(store.scan(b"")) == model
        assert store.get_many(list(model)) == list(model.values())
        state.close()


def write_and_be_killed(folder: Path, seconds: float) -> int:
    """Return the last position that the writer knew to be kept."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
    with writer:
        first = writer.stdout.readline() if writer.stdout else ""  # it is writing now
        time.sleep(seconds)
        writer.kill()
        lines = [first, *(writer.stdout or [])]
    return int(next(line for line in reversed(lines) if line.endswith("\n")))
