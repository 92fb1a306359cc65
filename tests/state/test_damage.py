"""Whatever becomes of the files, the store is the state after some whole batch, or empty; never anything else."""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.errors import Unavailable
from runtime.state.rocksdb import RocksState
from runtime.state.rowfile.compaction import Compaction
from runtime.state.rowfile.state import RowFileState
from runtime.state.store import PartitionStore, StateStore
from tests.state.batches import Batch, a_batch, follow

BATCHES = 40
FEW_DEAD_ROWS = 2_000
States = dict[int, dict[bytes, bytes]]


class StartAgain(Exception):
    """The store has met damage while it was read."""


@dataclass(frozen=True)
class Written:
    """A folder with a store, how to open such a one, and the state after each of its batches."""

    folder: Path
    open: Callable[[Path], StateStore]
    states: States

    def copy(self, folder: Path) -> Path:
        shutil.copytree(self.folder, folder)
        return folder


def a_valid_batch(number: int) -> Batch:
    return {key: value for key, value in a_batch(number).items() if key}


def write_batches(state: StateStore, states: States, count: int) -> None:
    store = state.open(0, "changelog")
    for position in range(store.position + 1, store.position + 1 + count):
        store.write(a_valid_batch(position), position)
        states[position] = dict(states[position - 1])
        follow(states[position], a_valid_batch(position))


def row_files(folder: Path, stage: int) -> Written:
    """Write until all rows are in one file, or being moved to a second one, or all there."""
    states: States = {0: {}}
    state = RowFileState(folder, compaction=Compaction(min_dead_rows=FEW_DEAD_ROWS if stage else 10**9))
    while len(states) <= BATCHES or stage_of(folder) != stage:
        write_batches(state, states, 1)
    state.close()
    return Written(folder, RowFileState, states)


def rocksdb(folder: Path) -> Written:
    """Write into several tables."""
    states: States = {0: {}}
    for _ in range(5):
        state = RocksState(folder)
        write_batches(state, states, BATCHES // 5)
        state.close()
    assert len(list(folder.glob("*.sst"))) > 2
    return Written(folder, RocksState, states)


@pytest.fixture(scope="module", params=[0, 1, 2, 3], ids=["one file", "moving", "moved", "RocksDB"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("written")
    return rocksdb(folder) if request.param == 3 else row_files(folder, request.param)


def stage_of(folder: Path) -> int:
    files = list((folder / "partition-0").iterdir())
    return 1 if len(files) > 1 else 2 * (files[0].name != "rows-1")


def files_of(folder: Path) -> list[Path]:
    """Return the files that matter; RocksDB makes the others anew."""
    return sorted(path for kind in ("*/rows-*", "*.sst", "MANIFEST-*", "CURRENT") for path in folder.glob(kind))


def check_exact(written: Written, folder: Path) -> int:
    """Check that the store is the state at its position, or says so and is after it; return the position."""
    with suppress(StartAgain):
        return check_once(written, folder)
    return check_once(written, folder)


def check_once(written: Written, folder: Path) -> int:
    with opened(written, folder) as store:
        position = store.position
        model = dict(written.states[position])
        assert holds(store, model)
        assert store.get_many(list(model)) == list(model.values())
        gone = [key for key in written.states[max(written.states)] if key not in model]
        assert store.get_many(gone) == [None] * len(gone)
        store.write(a_valid_batch(1_000), position + 1)
    follow(model, a_valid_batch(1_000))
    with opened(written, folder) as store:
        assert holds(store, model)
    return position


def holds(store: PartitionStore, model: dict[bytes, bytes]) -> bool:
    """Tell no more than that: pytest takes half a minute to lay two states of thousands of keys side by side."""
    return dict(store.scan(b"")) == model


@contextmanager
def opened(written: Written, folder: Path) -> Iterator[PartitionStore]:
    state = written.open(folder)
    try:
        yield state.open(0, "changelog")
    except Unavailable as error:
        raise StartAgain from error
    finally:
        state.close()


def test_without_damage_nothing_is_lost(written: Written, tmp_path: Path) -> None:
    assert check_exact(written, written.copy(tmp_path / "copy")) == max(written.states)


@pytest.mark.parametrize("seed", range(25))
def test_a_file_that_was_cut_is_an_exact_prefix(written: Written, tmp_path: Path, seed: int) -> None:
    chance, folder = random.Random(seed), written.copy(tmp_path / "copy")
    file = chance.choice(files_of(folder))
    content = file.read_bytes()
    garbage = chance.choice([b"", bytes(5_000), chance.randbytes(5_000)])
    file.write_bytes(content[: chance.randrange(len(content))] + garbage)
    check_exact(written, folder)


@pytest.mark.parametrize("seed", range(25))
def test_garbage_anywhere_leaves_an_exact_prefix(written: Written, tmp_path: Path, seed: int) -> None:
    chance, folder = random.Random(seed), written.copy(tmp_path / "copy")
    file = chance.choice(files_of(folder))
    content = bytearray(file.read_bytes())
    garbage = chance.randbytes(min(chance.choice([1, 4, 48, 4_096]), len(content)))
    place = chance.randrange(len(content) - len(garbage) + 1)
    content[place : place + len(garbage)] = garbage
    file.write_bytes(content)
    check_exact(written, folder)


@pytest.mark.parametrize("seed", range(25))
def test_a_flipped_bit_leaves_an_exact_prefix(written: Written, tmp_path: Path, seed: int) -> None:
    chance, folder = random.Random(seed), written.copy(tmp_path / "copy")
    file = chance.choice(files_of(folder))
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    position = check_exact(written, folder)
    assert position < max(written.states) or written.open is RocksState  # parts of its tables are never read


@pytest.mark.parametrize("which", [0, -1])
def test_a_file_that_is_missing_leaves_an_exact_prefix(written: Written, tmp_path: Path, which: int) -> None:
    folder = written.copy(tmp_path / "copy")
    files_of(folder)[which].unlink()
    check_exact(written, folder)


def test_the_check_sees_a_single_wrong_value(written: Written, tmp_path: Path) -> None:
    folder = written.copy(tmp_path / "copy")
    with opened(written, folder) as store:
        (key, value), *_ = (entry for entry in store.scan(b"") if len(entry[1]) == 10)
        store.write({key: bytes(reversed(value))}, store.position)
    with pytest.raises(AssertionError):
        check_exact(written, folder)
