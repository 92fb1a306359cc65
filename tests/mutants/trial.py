"""Running the tests of a package in a copy of the program, without and with a fault."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.mutants import fork_server
from tests.mutants.mutant import Mutant
from tests.planted.copy import ROOT, copy_program

SLACK = 3.0
SLACK_SECONDS = 20.0
"""A mutant may take SLACK times as long as the tests took without a fault, and SLACK_SECONDS more."""
_PASSED = 0
_NOTHING_RAN = 5
_OPTIONS = (
    *("-x", "-q", "--tb=line", "-m", "not kafka", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"),
    *("--hypothesis-profile=unshrunk", "--hypothesis-seed=1"),
)


def copy_with_docs(folder: Path) -> Path:
    """Copy the program into this folder, with what tests of the docs read, and return it."""
    copy_program(folder)
    for name in ("docs", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("README.md", "Makefile"):
        shutil.copy(ROOT / name, folder)
    return folder


class TrialResult(StrEnum):
    """The result of the tests."""

    CAUGHT = "caught"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


class NoYardstick(Exception):
    """The tests fail without a fault, so that they tell nothing."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Duration of the tests without a fault, in total and by file."""

    seconds: float
    by_file: Mapping[str, float]


class Copy:
    """A copy of the program in the folder `root`; its bytecode is made once, and found by the source's hash."""

    def __init__(self, root: Path) -> None:
        self.root = root
        compile_all = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "."]
        subprocess.run(compile_all, cwd=self.root, check=True)
        self._server = subprocess.Popen(
            [sys.executable, fork_server.__file__, str(root)],
            env={**os.environ, "PYTHONPATH": str(root), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the server."""
        with self._server as server:
            if server.stdin is not None:
                server.stdin.close()

    def measure(self, test_files: Sequence[str]) -> Yardstick:
        """Run the tests without a fault. Raises NoYardstick."""
        begun = time.monotonic()
        report = self.root / "junit.xml"
        code, output = self._run(test_files, f"--junitxml={report}", seconds=1_800)
        if code != _PASSED:
            raise NoYardstick(output[-3_000:])
        return Yardstick(time.monotonic() - begun, _seconds_by_file(report))

    def try_mutant(self, mutant: Mutant, test_files: Sequence[str], seconds: float) -> TrialResult:
        """Run the tests with the fault, until the first fails; an import that fails is a failure too."""
        with self._planted(mutant):
            code, output = self._run(test_files, seconds=seconds)
        if code is None:
            return TrialResult.TIMED_OUT
        if code == _NOTHING_RAN:
            raise NoYardstick(output[-3_000:])
        return TrialResult.SURVIVED if code == _PASSED else TrialResult.CAUGHT

    @contextmanager
    def _planted(self, mutant: Mutant) -> Iterator[None]:
        path = self.root / mutant.file
        sound = path.read_bytes()
        path.write_bytes(mutant.applied_to(sound))
        try:
            yield
        finally:
            path.write_bytes(sound)

    def _run(self, tests: Sequence[str], *options: str, seconds: float) -> tuple[int | None, str]:
        """Return exit code, None where the time was over, and output."""
        if self._server.stdin is None or self._server.stdout is None:
            raise NoYardstick("the server has no pipes")
        self._server.stdin.write(json.dumps([seconds, [*_OPTIONS, *options, *tests]]) + "\n")
        self._server.stdin.flush()
        code, output = json.loads(self._server.stdout.readline())
        return code, output


def in_order(root: Path, mutant: Mutant, yardstick: Yardstick, test_files: Sequence[str]) -> Sequence[str]:
    """Put first the tests that import the mutated module, and of those and the others the quickest."""
    module = re.escape(mutant.file.removesuffix(".py").replace("/", "."))
    imports = re.compile(rf"^from {module} import |^import {module}$", re.MULTILINE)

    def rank(file: str) -> tuple[bool, float]:
        return imports.search((root / file).read_text()) is None, yardstick.by_file.get(file, 0.0)

    return sorted(test_files, key=rank)


def _seconds_by_file(report: Path) -> Mapping[str, float]:
    seconds: dict[str, float] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest of our own wrote it
        # The class, where there is one, is part of the name.
        module = re.sub(r"\.[A-Z]\w*$", "", case.get("classname", ""))
        file = module.replace(".", "/") + ".py"
        seconds[file] = seconds.get(file, 0.0) + float(case.get("time", 0.0))
    return seconds
