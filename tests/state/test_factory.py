"""Going from one store to the other: each has its folder for itself."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime.config.settings import Settings, StateStoreKind
from runtime.errors import UsageError
from runtime.state.factory import open_state, state_folders
from runtime.state.rocksdb import RocksState
from runtime.state.rowfile.state import RowFileState
from runtime.state.store import BEGINNING, StateStore

BOTH = [(StateStoreKind.ROWFILE, StateStoreKind.ROCKSDB), (StateStoreKind.ROCKSDB, StateStoreKind.ROWFILE)]


def opened(folder: Path, kind: StateStoreKind) -> StateStore:
    return open_state(Settings(bootstrap_servers="localhost:9092", instance_id="a", state_dir=folder, state_store=kind))


def filled(folder: Path, kind: StateStoreKind) -> StateStore:
    state = opened(folder, kind)
    state.open(0, "changelog").write({b"key": b"value"}, 7)
    return state


@pytest.mark.parametrize("kind", list(StateStoreKind))
def test_the_same_store_finds_what_it_kept(tmp_path: Path, kind: StateStoreKind) -> None:
    filled(tmp_path, kind).close()
    state = opened(tmp_path, kind)
    assert state.open(0, "changelog").position == 7
    state.close()


@pytest.mark.parametrize(("before", "after"), BOTH)
def test_what_the_other_store_left_is_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: StateStoreKind, after: StateStoreKind
) -> None:
    filled(tmp_path, before).close()
    opened(tmp_path, after).close()
    said = capsys.readouterr()
    assert "state.discarded" in said.out + said.err  # where log lines go is whoever configured them last
    alone = tmp_path / "alone"
    opened(alone, after).close()
    assert kinds_of_files(tmp_path / "a") == kinds_of_files(alone / "a")


@pytest.mark.parametrize(("before", "after"), BOTH)
def test_going_there_and_back_begins_with_an_empty_store(
    tmp_path: Path, before: StateStoreKind, after: StateStoreKind
) -> None:
    for kind in (before, after):
        filled(tmp_path, kind).close()
    state = opened(tmp_path, before)
    assert state.open(0, "changelog").position == BEGINNING
    state.close()


@pytest.mark.parametrize(("before", "after"), BOTH)
def test_a_store_that_a_process_works_with_is_not_deleted(
    tmp_path: Path, before: StateStoreKind, after: StateStoreKind
) -> None:
    state = filled(tmp_path, before)
    with pytest.raises(UsageError, match="in use by another process"):
        opened(tmp_path, after)
    assert state.open(0, "changelog").get_many([b"key"]) == [b"value"]
    state.close()


def test_what_is_no_state_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("mine")
    for kind in [*StateStoreKind] * 2:
        filled(tmp_path, kind).close()
    assert (tmp_path / "a" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("state", [RowFileState, RocksState])
def test_an_empty_folder_has_nothing_to_delete(tmp_path: Path, state: type[StateStore]) -> None:
    assert state is type(opened(tmp_path, StateStoreKind.ROWFILE if state is RowFileState else StateStoreKind.ROCKSDB))


def kinds_of_files(folder: Path) -> set[str]:
    return {path.name.split("-")[0].strip("0123456789") for path in folder.rglob("*")} - {"", "partition"}


def test_each_worker_of_a_supervisor_has_a_folder(tmp_path: Path) -> None:
    settings = Settings(bootstrap_servers="localhost:9092", instance_id="a", state_dir=tmp_path)
    assert state_folders(settings, 1) == [tmp_path / "a"]
    assert state_folders(settings, 2) == [tmp_path / "a-1", tmp_path / "a-2"]


def test_the_bytes_that_were_discarded_are_logged(tmp_path: Path) -> None:
    filled(tmp_path, StateStoreKind.ROWFILE).close()
    size = sum(path.stat().st_size for path in (tmp_path / "a").rglob("*") if path.is_file())
    with capture_logs() as logs:
        opened(tmp_path, StateStoreKind.ROCKSDB).close()
    (discarded,) = [line for line in logs if line["event"] == "state.discarded"]
    assert 0 < discarded["freed_bytes"] <= size
