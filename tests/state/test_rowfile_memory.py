"""What row files take of the memory: an index that finds none stops the store before anything is half done.

And pages of the files, which count as the worker's as long as they are mapped.
"""

import re
from pathlib import Path
from random import Random

import pytest

from runtime.errors import Unavailable
from runtime.records.implementation import PYTHON
from runtime.state.rowfile.index import BUCKET_BYTES, KEYS_PER_BUCKET
from runtime.state.rowfile.matchers import best_matcher
from runtime.state.rowfile.row import ROW_BYTES
from runtime.state.rowfile.segment import Segment
from runtime.state.rowfile.state import RowFileState

BATCH = 5_000
BATCHES = 40
"""So many have rows of 9.6 MB."""


class Budget:
    """So many bytes may be taken, and no more."""

    def __init__(self, size: int) -> None:
        self.left = size

    def require(self, wanted: int) -> None:
        if wanted > self.left:
            raise Unavailable("no room")
        self.left -= wanted


def a_batch(position: int) -> dict[bytes, bytes | None]:
    return {b"%020d" % place: b"%010d" % place for place in range(position * BATCH, (position + 1) * BATCH)}


def fill(folder: Path, budget: Budget) -> tuple[RowFileState, int]:
    """Write until the memory is refused; return the state and the position it has then."""
    state = RowFileState(folder, require=budget.require)
    store = state.open(0, "changelog")
    for position in range(1_000):
        try:
            store.write(a_batch(position), position + 1)
        except Unavailable:
            return state, store.position
    raise RuntimeError("nothing was refused")


def test_refused_batch_leaves_state_unchanged(tmp_path: Path) -> None:
    state, position = fill(tmp_path, Budget(1_000_000))
    store = state.open(0, "changelog")
    assert store.position == position
    assert store.get_many(list(a_batch(position))) == [None] * BATCH
    assert store.get_many(list(a_batch(position - 1))) == list(a_batch(position - 1).values())
    assert state.size().keys == position * BATCH
    state.close()


def test_what_was_refused_is_written_where_there_is_room_again(tmp_path: Path) -> None:
    budget = Budget(1_000_000)
    state, position = fill(tmp_path, budget)
    budget.left = 1_000_000
    state.open(0, "changelog").write(a_batch(position), position + 1)
    state.close()
    assert RowFileState(tmp_path).open(0, "changelog").position == position + 1


def test_the_index_of_a_store_that_is_opened_must_have_room_before_it_is_built(tmp_path: Path) -> None:
    state, position = fill(tmp_path, Budget(1_000_000))
    state.close()
    needed = position * BATCH // KEYS_PER_BUCKET * BUCKET_BYTES
    small = RowFileState(tmp_path, require=Budget(needed * 9 // 10).require)
    with pytest.raises(Unavailable, match="no room"):
        small.open(0, "changelog")
    small.close()
    large = RowFileState(tmp_path, require=Budget(needed * 12 // 10).require)
    assert large.open(0, "changelog").position == position
    large.close()


def test_what_is_told_of_the_memory_is_what_was_asked_for(tmp_path: Path) -> None:
    budget = Budget(2_000_000)
    state, _ = fill(tmp_path, budget)
    assert state.size().memory_bytes == pytest.approx(2_000_000 - budget.left, rel=0.01)
    state.close()


def pages_of(folder: Path) -> int:
    """How many bytes of the files in this folder are mapped and resident."""
    total, is_mine = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            is_mine = str(folder) in line
        elif is_mine and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


def ready(folder: Path) -> RowFileState:
    """Have 200,000 entries lie in the folder, and open them."""
    state = RowFileState(folder)
    store = state.open(0, "changelog")
    for position in range(BATCHES):
        store.write(a_batch(position), position + 1)
    state.close()
    return RowFileState(folder)


def test_pages_read_at_opening_are_released(tmp_path: Path) -> None:
    state = ready(tmp_path)
    assert state.open(0, "changelog").position == BATCHES
    assert pages_of(tmp_path) <= 1 << 17
    state.close()


def test_pages_that_large_batches_look_at_do_not_stay_mapped(tmp_path: Path) -> None:
    state = ready(tmp_path)
    store = state.open(0, "changelog")
    for position in range(BATCHES):
        assert store.get_many(list(a_batch(position))) == list(a_batch(position).values())
        assert pages_of(tmp_path) == 0
    store.write(a_batch(0), BATCHES + 1)
    assert pages_of(tmp_path) == 0
    state.close()


def test_pages_are_released_only_after_many_keys(tmp_path: Path) -> None:
    state = ready(tmp_path)
    store = state.open(0, "changelog")
    taken = []
    for position in range(BATCHES):
        for start in range(0, BATCH, 100):
            store.get_many(list(a_batch(position))[start : start + 100])
        taken.append(pages_of(tmp_path))
    assert max(taken) > 0
    assert max(taken) < 5_000_000
    state.close()


@pytest.mark.skipif(best_matcher() == PYTHON, reason="where nothing is compiled, a whole file may be mapped")
def test_few_pages_are_mapped_at_a_time_while_many_keys_are_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = ready(tmp_path)
    store = state.open(0, "changelog")
    keys = [key for position in range(BATCHES) for key in a_batch(position)]
    Random(1).shuffle(keys)
    taken = []
    release_pages = Segment.release_pages

    def look_and_release(segment: Segment) -> None:
        taken.append(pages_of(tmp_path))
        release_pages(segment)

    monkeypatch.setattr(Segment, "release_pages", look_and_release)
    assert store.get_many(keys) == [key[-10:] for key in keys]
    assert 0 < max(taken) < 6_500_000 < len(keys) * ROW_BYTES
    state.close()


def test_many_keys_find_their_values_during_compaction(tmp_path: Path) -> None:
    state = ready(tmp_path)
    store = state.open(0, "changelog")
    expected = {key: value for position in range(BATCHES) for key, value in a_batch(position).items()}
    keys = [*expected, *a_batch(BATCHES)]
    Random(1).shuffle(keys)
    files = set()
    for position in range(BATCHES):
        changed = {key: b"changed" + key[-5:] for key in a_batch(position)}
        store.write(changed, BATCHES + position + 1)
        expected |= changed
        if position % 4 == 3:
            assert store.get_many(keys) == [expected.get(key) for key in keys]
            files.add(len(list(tmp_path.rglob("rows-*"))))
    assert files >= {1, 2}
    state.close()
