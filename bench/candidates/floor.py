"""The floor, the lowest cost to expect: the same job in Rust on librdkafka's C interface, with a hash set in memory."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.candidate import CandidateMissing, Job, Output, Running
from bench.shape import Shape

_ROOT = Path(__file__).parents[2]
_TARGET = _ROOT / ".cache" / "bench" / "floor"


@dataclass(frozen=True, slots=True)
class Floor:
    """The program in `bench/peers/floor`, built by Cargo with the librdkafka that its manifest names."""

    name: str = "floor"
    guarantee: str = "exactly once, state in memory"
    output: Output = Output.UPDATES
    ends_by_itself: bool = False
    commit_interval_ms: int = 100

    def supports(self, shape: Shape) -> bool:  # noqa: ARG002 - it supports all of them
        """Return true: it supports all shapes."""
        return True

    def prepare(self) -> None:
        """Build it; raises CandidateMissing."""
        cargo = shutil.which("cargo")
        if cargo is None:
            raise CandidateMissing("no Rust (cargo) is installed")
        command = [cargo, "build", "--quiet", "--release", "--target-dir", str(_TARGET)]
        try:
            subprocess.run(command, cwd=_ROOT / "bench" / "peers" / "floor", check=True)
        except subprocess.CalledProcessError as error:
            raise CandidateMissing("cargo could not build it") from error

    def start(self, job: Job) -> Running:
        """Start it."""
        topics = (job.clicks, job.updates, job.changelog)
        command = [str(_TARGET / "release" / "floor"), job.servers, *topics, job.group, str(job.definitions)]
        return Running(job.folder).launch([*command, str(self.commit_interval_ms)], os.environ)
