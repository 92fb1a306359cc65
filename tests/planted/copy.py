"""A copy of the program, in which bugs may be planted and tests run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.patience import stretched

ROOT = Path(__file__).parents[2]
PACKAGES = ("actions", "bench", "cli", "consumer", "deploy", "edge", "runtime", "schemas", "scripts", "tests")
UNSHRUNK = "unshrunk"
"""Profile of tests/conftest.py: that an example fails is enough here, it need not be the smallest."""
TESTS_FAILED = 1
"""Exit code of pytest where tests ran and some failed; others mean that they did not run."""


def copy_program(folder: Path) -> Path:
    """Copy what the tests need into this folder, compiled parts too, and return it."""
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "libs")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    # A broker of the copy starts from the jars that are here.
    (folder / ".cache").symlink_to(ROOT / ".cache")
    return folder


def run_tests(folder: Path, *tests: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    """Run these tests of the copy until the first failure."""
    options = ("-x", "-q", "--tb=line", "-p", "no:cacheprovider", f"--hypothesis-profile={UNSHRUNK}")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=stretched(seconds),
    )
