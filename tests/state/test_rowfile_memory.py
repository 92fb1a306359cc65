"""An index that has no memory to grow into stops the store before anything is half done."""

from pathlib import Path

import pytest

from consumer.errors import Unavailable
from consumer.state.rowfile.index import BUCKET_BYTES, KEYS_PER_BUCKET
from consumer.state.rowfile.state import RowFileState

BATCH = 5_000


class Budget:
    """So many bytes may be taken, and no more."""

    def __init__(self, size: int) -> None:
        self.left = size

    def require(self, wanted: int) -> None:
        if wanted > self.left:
            raise Unavailable("no room")
        self.left -= wanted


def a_batch(position: int) -> dict[bytes, bytes | None]:
    return {b"%020d" % (position * BATCH + number): bytes(10) for number in range(BATCH)}


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


def test_a_batch_that_is_refused_is_not_kept_and_what_was_there_is_still_found(tmp_path: Path) -> None:
    state, position = fill(tmp_path, Budget(1_000_000))
    store = state.open(0, "changelog")
    assert store.position == position
    assert store.get_many(list(a_batch(position))) == [None] * BATCH
    assert store.get_many(list(a_batch(position - 1))) == [bytes(10)] * BATCH
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
