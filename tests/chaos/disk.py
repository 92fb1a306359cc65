"""A small disk in memory for the state of one worker, which can be filled or made read-only."""

import subprocess
from pathlib import Path
from shutil import which

SIZE = "48m"


def mount(folder: Path) -> bool:
    """Mount a disk there; false if that is not allowed here."""
    folder.mkdir(parents=True, exist_ok=True)
    return _run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder))


def remount(folder: Path, mode: str) -> None:
    """Let it be written (`rw`) or only read (`ro`)."""
    assert _run("mount", "-o", f"remount,{mode}", str(folder)), f"{folder} cannot be made {mode}"


def unmount(folder: Path) -> None:
    """Unmount it; lazily, in case it is still in use."""
    _run("umount", "-l", str(folder))


def _run(program: str, *arguments: str) -> bool:
    path = which(program)
    return path is not None and subprocess.run([path, *arguments], capture_output=True, check=False).returncode == 0
