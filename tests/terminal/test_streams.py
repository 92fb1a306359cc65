"""Standard streams as a shell may leave them, for a command that needs no broker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-c", "from cli.app import main; main()"]
CALL = [*PROGRAM, "acls", "subscriber", "--subscriber-group", "grøn-春"]
PIPE = "mkfifo pipe; exec 3<>pipe 4>pipe 3<&-"


def run(start: str, folder: Path, *call: str, **variables: str) -> tuple[int, str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LINK_ACTIONS_")}
    environ |= {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "127.0.0.1:1", "PYTHONIOENCODING": "utf-8", **variables}
    done = subprocess.run(
        ["/bin/sh", "-c", start, "sh", *(call or CALL)], cwd=folder, env=environ, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def test_unencodable_characters_are_escaped(tmp_path: Path) -> None:
    code, out, err = run('exec "$@"', tmp_path, PYTHONIOENCODING="ascii")

    assert (code, err) == (0, "")
    assert r"gr\xf8n-\u6625" in out


def test_full_disk_is_reported_once(tmp_path: Path) -> None:
    code, _, err = run('exec "$@" > /dev/full', tmp_path)

    assert code == 1
    assert err.startswith("link-actions: Standard output cannot be written (No space left on device); free some space")
    assert err.count("\n") == 1


def test_closed_reader_is_not_reported(tmp_path: Path) -> None:
    assert run(f'{PIPE}; exec "$@" >&4', tmp_path) == (141, "", "")


def test_failure_without_stderr_keeps_its_exit_code(tmp_path: Path) -> None:
    for start in ('exec "$@" 2> /dev/full', 'exec "$@" 2>&-', f'{PIPE}; exec "$@" 2>&4'):
        assert run(start, tmp_path, *PROGRAM, "links", "check", "nowhere") == (2, "", "")


@pytest.mark.parametrize("start", ['exec "$@" <&- >&- 2>&-', 'exec "$@" >&-'])
def test_descriptors_of_closed_streams_are_not_reused(start: str, tmp_path: Path) -> None:
    """A file that got the number of standard output would get what is printed."""
    opened = "import sys; from runtime.terminal.streams import prepare_streams; prepare_streams(); f = open('f', 'w')"
    code = f"{opened}; sys.stdout.write('lost'); sys.stdout.flush(); f.write('kept'); f.close()"

    assert run(start, tmp_path, sys.executable, "-c", code) == (0, "", "")
    assert (tmp_path / "f").read_text() == "kept"


def test_deleted_working_directory_is_reported(tmp_path: Path) -> None:
    start = 'mkdir gone; cd gone; rmdir ../gone; exec "$@"'
    code, _, err = run(start, tmp_path, *PROGRAM, "links", "check", "links")

    assert code == 2
    assert "Traceback" not in err


def test_all_output_goes_through_one_module() -> None:
    folder = Path(__file__).parents[2] / "cli"
    texts = {path.name: path.read_text() for path in folder.glob("*.py") if path.name not in {"output.py", "table.py"}}

    assert not [name for name, text in texts.items() if "typer.echo" in text or "print(" in text.replace(".print(", "")]
    assert not [name for name, text in texts.items() if "sys.stdout.write" in text or "sys.stderr.write" in text]
