"""The search for secrets and personal data at the end of each run finds planted ones."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.patience import stretched
from tests.support.planted import MARK

ROOT = Path(__file__).parents[2]

LEAKS = {
    "a worker's log": '(tmp_path / "worker.log").write_text("{\\"recipient\\": \\"r-MARK\\"}\\n")',
    "a page over HTTP": '(tmp_path / "metrics.page.log").write_text("consumed{person=\\"MARK\\"} 1")',
    "standard error of a command": 'sys.stderr.write("link-actions: no person MARK\\n")',
}


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """Return a folder outside that of this run, which is searched as well."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def run(folder: Path, statement: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run a test with this body and the search as its only plugin."""
    test = folder / "test_it.py"
    test.write_text(f"import sys\n\ndef test_it(tmp_path):\n    {statement.replace('MARK', MARK)}\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.leak_watch", "-c", "/dev/null", str(test)]
    command += [f"--rootdir={folder}", f"--basetemp={folder / 'run'}", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=stretched(60))


@pytest.mark.parametrize("processes", ["0", "2"])
@pytest.mark.parametrize("statement", LEAKS.values(), ids=LEAKS.keys())
def test_leak_fails_the_run_and_is_shown(elsewhere: Path, statement: str, processes: str) -> None:
    found = run(elsewhere, statement, "-n", processes)

    assert found.returncode == pytest.ExitCode.TESTS_FAILED, found.stdout
    assert "WERE SEEN" in found.stdout
    assert "1 passed" in found.stdout


def test_run_without_a_leak_passes(elsewhere: Path) -> None:
    found = run(elsewhere, f'(tmp_path / "kafka.log").write_text("the broker may: {MARK}")')

    assert found.returncode == 0, found.stdout
