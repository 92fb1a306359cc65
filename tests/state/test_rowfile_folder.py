import os
import shutil
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from runtime.errors import UsageError
from runtime.state.rowfile.compaction import Compaction
from runtime.state.rowfile.row import ROW_BYTES, hash_keys, key_rows
from runtime.state.rowfile.state import RowFileState
from runtime.state.store import BEGINNING


def test_a_second_process_is_told_to_take_an_instance_id_of_its_own(tmp_path: Path) -> None:
    state = RowFileState(tmp_path)
    with pytest.raises(UsageError, match="LINK_ACTIONS_INSTANCE_ID"):
        RowFileState(tmp_path)
    state.close()
    RowFileState(tmp_path).close()


def test_a_store_of_another_changelog_is_emptied(tmp_path: Path) -> None:
    state = RowFileState(tmp_path)
    state.open(0, "old").write({b"key": b"value"}, 7)
    assert state.open(0, "old").get_many([b"key"]) == [b"value"]
    store = state.open(0, "new")
    assert (store.position, store.get_many([b"key"])) == (BEGINNING, [None])
    state.close()


def test_a_partition_that_was_released_is_found_again(tmp_path: Path) -> None:
    state = RowFileState(tmp_path)
    state.open(0, "changelog").write({b"key": b"value"}, 7)
    state.release(0)
    state.release(1)
    store = state.open(0, "changelog")
    assert (store.position, store.get_many([b"key"])) == (7, [b"value"])
    state.close()


def test_partitions_know_nothing_of_each_other(tmp_path: Path) -> None:
    state = RowFileState(tmp_path)
    one, other = state.open(0, "changelog"), state.open(1, "changelog")
    one.write({b"key": b"value"}, 7)
    state.reset(1, "changelog")
    assert one.get_many([b"key"]) == [b"value"]
    assert (other.position, other.get_many([b"key"])) == (BEGINNING, [None])
    state.close()


def test_replaced_rows_do_not_fill_the_disk(tmp_path: Path) -> None:
    state = RowFileState(tmp_path, compaction=Compaction(min_dead_rows=1_000))
    store = state.open(0, "changelog")
    lasting = {b"%020d" % number: bytes(10) for number in range(5_000)}
    store.write(lasting, 1)
    for position in range(2, 200):
        store.write({b"%016d" % number: position.to_bytes(25, "big") for number in range(200)}, position)
    state.close()
    assert sum(path.stat().st_size for path in (tmp_path / "partition-0").iterdir()) < 2 * 5_200 * 48
    store = RowFileState(tmp_path).open(0, "changelog")
    assert store.get_many(list(lasting)) == [bytes(10)] * 5_000
    assert store.get_many([b"%016d" % 7]) == [(199).to_bytes(25, "big")]


def test_abandoned_opening_closes_its_files(tmp_path: Path) -> None:
    state = RowFileState(tmp_path)
    store = state.open(0, "changelog")
    for position in range(1, 6):
        store.write({b"%020d" % (position * 100_000 + number): bytes(10) for number in range(100_000)}, position)
    state.release(0)
    before = open_files(tmp_path)
    for steps in range(50):
        opening = state.open_in_steps(0, "changelog")
        if len(list(islice(opening, steps))) < steps:
            break
        opening.close()
        assert open_files(tmp_path) == before, f"after {steps} steps"
    assert steps > 4
    assert state.open(0, "changelog").position == 5
    state.close()


def rewrite_until(folder: Path, compaction: Compaction, enough: Callable[[], bool]) -> tuple[RowFileState, int]:
    """Replace two thousand of twenty thousand rows again and again; return the state and its position."""
    state = RowFileState(folder, compaction=compaction)
    store, position = state.open(0, "changelog"), 1
    store.write({b"%020d" % number: bytes(10) for number in range(20_000)}, position)
    while not enough():
        position += 1
        store.write({b"%020d" % number: position.to_bytes(10, "big") for number in range(2_000)}, position)
    return state, position


def test_a_file_that_is_done_without_goes_little_by_little(tmp_path: Path) -> None:
    first, sizes = tmp_path / "partition-0" / "rows-1", list[int]()

    def is_gone() -> bool:
        sizes.append(first.stat().st_size if first.exists() else 0)
        return not sizes[-1]

    rewrite_until(tmp_path, Compaction(min_dead_rows=10_000, deleted_per_write=400_000), is_gone)[0].close()

    steps = [before - after for before, after in pairwise(sizes) if before > after]
    assert len(steps) >= 3
    assert max(steps[1:]) <= 400_000  # the first one takes what was only reserved, too


def test_what_is_left_of_a_file_that_is_done_without_is_deleted_at_opening(tmp_path: Path) -> None:
    first, killed = tmp_path / "mine" / "partition-0" / "rows-1", tmp_path / "killed"

    def is_cut() -> bool:
        return first.exists() and first.stat().st_size % ROW_BYTES != 0

    state, position = rewrite_until(tmp_path / "mine", Compaction(min_dead_rows=10_000, deleted_per_write=1), is_cut)
    shutil.copytree(tmp_path / "mine", killed)
    state.close()
    state = RowFileState(killed)
    store = state.open(0, "changelog")
    assert store.position == position
    assert store.get_many([b"%020d" % 1_999, b"%020d" % 2_000]) == [position.to_bytes(10, "big"), bytes(10)]
    assert [path.name for path in (killed / "partition-0").iterdir()] == ["rows-2"]
    state.close()


def open_files(folder: Path) -> int:
    """How many files of this folder are open; connections of other tests come and go meanwhile."""
    return sum(str(folder) in os.path.realpath(each) for each in Path("/proc/self/fd").iterdir())


def test_keys_of_one_hash_are_not_taken_for_each_other(tmp_path: Path) -> None:
    keys = [b"%020d" % number for number in range(300_000)]
    _, first, counts = np.unique(hash_keys(key_rows(keys)), return_index=True, return_counts=True)
    alike = first[counts > 1].tolist()
    hashes = hash_keys(key_rows(keys)).tolist()
    one = alike[0]
    other = hashes.index(hashes[one], one + 1)
    state = RowFileState(tmp_path)
    store = state.open(0, "changelog")
    store.write({keys[one]: b"one"}, 1)
    assert store.get_many([keys[other], keys[one]]) == [None, b"one"]
    store.write({keys[other]: b"other"}, 2)
    store.write({keys[one]: None}, 3)
    assert store.get_many([keys[other], keys[one]]) == [b"other", None]
    state.close()
