"""Whatever becomes of the files, the store is the state after some whole batch, or empty; never anything else."""

import random
import shutil
from pathlib import Path

import pytest

from consumer.state.rowfile.moving import Moving
from consumer.state.rowfile.state import RowFileState
from consumer.state.store import BEGINNING
from tests.state.batches import a_batch, follow

BATCHES = 40
FEW_DEAD_ROWS = 2_000
States = dict[int, dict[bytes, bytes]]


@pytest.fixture(scope="module", params=[0, 1, 2], ids=["one file", "moving", "moved"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, States]:
    """A folder with a store, and the state after each of its batches."""
    folder = tmp_path_factory.mktemp("written")
    state = RowFileState(folder, moving=Moving(least_dead_rows=FEW_DEAD_ROWS if request.param else 10**9))
    store, position = state.open(0, "changelog"), BEGINNING
    model: dict[bytes, bytes] = {}
    states: States = {position: {}}
    while position < BATCHES or stage_of(folder) != request.param:
        position += 1
        batch = a_batch(position)
        store.write(batch, position)
        follow(model, batch)
        states[position] = dict(model)
    state.close()
    return folder, states


def stage_of(folder: Path) -> int:
    files = list((folder / "partition-0").iterdir())
    return 1 if len(files) > 1 else 2 * (files[0].name != "rows-1")


def check_exact(folder: Path, states: States) -> int:
    """Check that the store is the state at its position, can be written, and is the same then; return the position."""
    state = RowFileState(folder)
    store = state.open(0, "changelog")
    position = store.position
    model = dict(states[position])
    assert dict(store.scan(b"")) == model
    assert store.get_many(list(model)) == list(model.values())
    gone = [key for key in states[max(states)] if key not in model]
    assert store.get_many(gone) == [None] * len(gone)
    batch = a_batch(1_000)
    store.write(batch, position + 1)
    follow(model, batch)
    state.close()
    state = RowFileState(folder)
    assert dict(state.open(0, "changelog").scan(b"")) == model
    state.close()
    return position


def test_without_damage_nothing_is_lost(written: tuple[Path, States], tmp_path: Path) -> None:
    folder, states = written
    shutil.copytree(folder, tmp_path / "copy")
    assert check_exact(tmp_path / "copy", states) == max(states)


@pytest.mark.parametrize("seed", range(25))
def test_a_file_that_was_cut_is_an_exact_prefix(written: tuple[Path, States], tmp_path: Path, seed: int) -> None:
    folder, states = written
    chance = random.Random(seed)
    shutil.copytree(folder, tmp_path / "copy")
    file = chance.choice(sorted((tmp_path / "copy" / "partition-0").iterdir()))
    content = file.read_bytes()
    file.write_bytes(
        content[: chance.randrange(len(content))] + chance.choice([b"", bytes(5_000), chance.randbytes(5_000)])
    )
    check_exact(tmp_path / "copy", states)


@pytest.mark.parametrize("seed", range(25))
def test_garbage_anywhere_leaves_an_exact_prefix(written: tuple[Path, States], tmp_path: Path, seed: int) -> None:
    folder, states = written
    chance = random.Random(seed)
    shutil.copytree(folder, tmp_path / "copy")
    file = chance.choice(sorted((tmp_path / "copy" / "partition-0").iterdir()))
    content = bytearray(file.read_bytes())
    garbage = chance.randbytes(chance.choice([1, 4, 48, 4_096]))
    place = chance.randrange(len(content) - len(garbage))
    content[place : place + len(garbage)] = garbage
    file.write_bytes(content)
    assert check_exact(tmp_path / "copy", states) < max(states)


@pytest.mark.parametrize("which", [0, -1])
def test_a_file_that_is_missing_leaves_an_exact_prefix(
    written: tuple[Path, States], tmp_path: Path, which: int
) -> None:
    folder, states = written
    shutil.copytree(folder, tmp_path / "copy")
    sorted((tmp_path / "copy" / "partition-0").iterdir())[which].unlink()
    check_exact(tmp_path / "copy", states)


def test_the_check_sees_a_single_wrong_value(written: tuple[Path, States], tmp_path: Path) -> None:
    folder, states = written
    shutil.copytree(folder, tmp_path / "copy")
    state = RowFileState(tmp_path / "copy")
    store = state.open(0, "changelog")
    (key, value), *_ = (entry for entry in store.scan(b"") if len(entry[1]) == 10)
    store.write({key: bytes(reversed(value))}, store.position)
    state.close()
    with pytest.raises(AssertionError):
        check_exact(tmp_path / "copy", states)
