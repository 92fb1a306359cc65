"""A copy of the program whose compiled modules report each access out of bounds."""

import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.planted.copy import copy_program

_SANITIZE = "-fsanitize=address,undefined"
_RUNTIMES = ("libasan.so", "libubsan.so")


class CannotBuild(Exception):
    """There is no C compiler with sanitizers, or it refuses a part."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Its path, its compiled modules, and the libraries to preload."""

    folder: Path
    parts: Sequence[Path]
    runtimes: Sequence[str]


def build(folder: Path) -> Copy:
    """Copy the program into the folder and build its parts there. Raises CannotBuild."""
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    runtimes = [_runtime(compiler, name) for name in _RUNTIMES]
    copy_program(folder)
    for old in [path for kind in ("so", "c") for path in folder.glob(f"*/**/*.{kind}")]:
        old.unlink()
    flags = {"CFLAGS": f"{_SANITIZE} -fno-omit-frame-pointer -g -O1", "LDFLAGS": _SANITIZE}
    made = subprocess.run(
        [sys.executable, "-c", "from setuptools import setup; setup()", "build_ext", "--inplace"],
        cwd=folder,
        env=os.environ | flags,
        capture_output=True,
        text=True,
        check=False,
    )
    parts = sorted(folder.glob("*/**/*.so"))
    # A part that cannot be built is left out without an error, since its twin takes its place.
    if made.returncode or len(parts) < len(list(folder.glob("*/**/*.pyx"))):
        raise CannotBuild(f"the compiled parts cannot be built with {_SANITIZE}:\n{made.stderr[-4_000:]}")
    return Copy(folder, parts, runtimes)


def _runtime(compiler: str, name: str) -> str:
    try:
        asked = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotBuild(f"there is no C compiler: {error}; install gcc") from error
    path = asked.stdout.strip()
    if not Path(path).is_absolute():
        raise CannotBuild(f"{compiler} has no {name}; install the sanitizers of gcc")
    return path
