"""The environment of the Python peers: their own packages, locked apart from the project's."""

import subprocess
import sys
from pathlib import Path

from bench.candidate import CandidateMissing

ROOT = Path(__file__).parents[2]
_LOCK = ROOT / "bench" / "peers" / "requirements.lock"
_FOLDER = ROOT / ".cache" / "bench" / "python"
_PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r")
PYTHON = _FOLDER / "bin" / "python"


def install_packages() -> None:
    """Create the virtual environment if it is missing or older than its lock file; raises CandidateMissing."""
    done = _FOLDER / ".installed"
    if done.exists() and done.stat().st_mtime >= _LOCK.stat().st_mtime:
        return
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_FOLDER)], check=True)
        subprocess.run([str(PYTHON), *_PIP, str(_LOCK)], check=True)
    except subprocess.CalledProcessError as error:
        raise CandidateMissing("its packages cannot be installed") from error
    done.touch()
