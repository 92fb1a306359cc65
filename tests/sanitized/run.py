"""Running tests in such a copy."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tests.sanitized.build import Copy


@dataclass(frozen=True, slots=True)
class Result:
    """Whether the tests passed, the end of pytest's output, and the reports of the sanitizers."""

    passed: bool
    output: str
    reports: Sequence[str]


def run(copy: Copy, tests: Sequence[str]) -> Result:
    """Run these tests of the copy."""
    reports = copy.folder / "reports"
    reports.mkdir()
    sanitizers = {
        "LD_PRELOAD": " ".join(copy.runtimes),
        # Python keeps what it has for its whole life, which is no leak.
        "ASAN_OPTIONS": f"detect_leaks=0:log_path={reports / 'address'}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={reports / 'undefined'}",
        # So that each object is a separate allocation with guarded bounds.
        "PYTHONMALLOC": "malloc",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=copy.folder,
        env=os.environ | sanitizers | {"PYTHONPATH": str(copy.folder), "PYTHONSAFEPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    written = [path.read_text(errors="replace") for path in sorted(reports.iterdir())]
    return Result(done.returncode == 0, (done.stdout + done.stderr)[-2_000:], written)
