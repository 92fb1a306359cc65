"""An unusable state folder: every command reports the same sentence, advice and exit code."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.config.settings import StateStoreKind
from runtime.errors import UsageError
from runtime.state.disk import require_writable
from runtime.stream.marker_file import LocalMarkerFile
from tests.support.patience import stretched

ROOT = Path(__file__).parents[2]
ANOTHER_USER = 1
OPENING = """
import sys
from pathlib import Path
from runtime.errors import LinkActionsError
from runtime.config.settings import Settings, StateStoreKind
from runtime.state.factory import open_state, state_folder
from runtime.stream.marker_file import LocalMarkerFile
folder, store = sys.argv[1:]
settings = Settings(bootstrap_servers="x", instance_id="one", state_dir=Path(folder), state_store=StateStoreKind(store))
try:
    open_state(settings).close()
    LocalMarkerFile(state_folder(settings) / "deciding").close()
except LinkActionsError as error:
    print(int(error.exit_code), error)
"""
"""A program that opens the state like a worker."""
COMMANDS = (
    ["run"],
    ["run", "--drain"],
    ["run", "--workers", "2"],
    ["doctor"],
    ["state", "repartition", "--partitions", "8", "--dry-run"],
)


def unprivileged() -> list[str]:
    """Return a command prefix that drops root's right to ignore permissions."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root ignores permissions, and setpriv, which would prevent that, is missing")
    return [setpriv, "--bounding-set", "-all"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a state folder below one that every user may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        state = Path(name) / "state"
        state.mkdir()
        yield state
        if os.geteuid() != 0:
            state.chmod(0o755)


def give_away(folder: Path, mode: int) -> None:
    """Give it to another user; without root, remove our own permissions instead."""
    if os.geteuid() == 0:
        os.chown(folder, ANOTHER_USER, ANOTHER_USER)
        folder.chmod(mode)
    else:
        folder.chmod(mode & 0o077)


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LINK_ACTIONS_")}
    own = {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "127.0.0.1:1", "LINK_ACTIONS_STATE_DIR": str(folder), **settings}
    return subprocess.run(
        [*unprivileged(), sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env={**environ, **own, "LINK_ACTIONS_HTTP_PORT": "0", "LINK_ACTIONS_LOG_FORMAT": "json", "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=stretched(60),
        check=False,
    )


@pytest.mark.parametrize("mode", [0o700, 0o755], ids=oct)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_folder_of_another_user_is_a_usage_error(folder: Path, command: list[str], mode: int) -> None:
    give_away(folder, mode)
    ended = run(folder, *command)

    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Permission denied" in ended.stdout + ended.stderr
    assert "chown" in ended.stdout + ended.stderr
    assert "LINK_ACTIONS_STATE_DIR" in ended.stdout + ended.stderr


@pytest.mark.parametrize("inner", ["one", "one/rows.lock", "one/deciding"])
@pytest.mark.parametrize("store", StateStoreKind)
def test_subfolder_of_another_user_is_a_usage_error(folder: Path, inner: str, store: StateStoreKind) -> None:
    path = folder / inner
    if path.parent == folder:
        path.mkdir()
    else:
        path.parent.mkdir()
        path.touch()
    give_away(path, 0o700)
    ended = subprocess.run(
        [*unprivileged(), sys.executable, "-c", OPENING, str(folder), store],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=stretched(60),
        check=False,
    )

    assert ended.stdout.startswith("2 The state in "), ended.stderr
    assert "chown" in ended.stdout


def test_file_instead_of_the_folder_is_a_usage_error(folder: Path) -> None:
    file = folder / "file"
    file.touch()
    for place in (file, file / "below"):
        with pytest.raises(UsageError, match=r"Not a directory.*LINK_ACTIONS_STATE_DIR"):
            require_writable(place)


def test_missing_folder_is_valid(folder: Path) -> None:
    require_writable(folder / "a" / "b")
    assert not (folder / "a").exists()
    LocalMarkerFile(folder / "a" / "deciding").close()


def test_invalid_brokers_are_refused_by_every_command(folder: Path) -> None:
    for command in (*COMMANDS, ["topics", "create"], ["links", "list"], ["updates", "tail"], ["dlq", "list"]):
        ended = run(folder, *command, LINK_ACTIONS_BOOTSTRAP_SERVERS="http://localhost:9092")
        assert ended.returncode == 2, (command, ended.stderr)
        assert "http://localhost:9092" in ended.stdout + ended.stderr


def test_instance_id_cannot_escape_the_folder(folder: Path) -> None:
    for name in ("..", ".", "../../elsewhere", "/elsewhere"):
        assert run(folder, "run", LINK_ACTIONS_INSTANCE_ID=name).returncode == 2
    assert sorted(folder.parent.iterdir()) == [folder]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("number", "bound"), [("0", "at least 1"), ("257", "at most 256"), ("100000", "at most 256")])
def test_too_many_workers_are_refused_like_the_setting(folder: Path, number: str, bound: str) -> None:
    said = run(folder, "run", "--workers", number)
    set_ = run(folder, "run", LINK_ACTIONS_WORKERS=number)

    assert said.returncode == set_.returncode == 2
    assert bound in said.stderr
    assert bound in set_.stderr
    assert list(folder.iterdir()) == []
