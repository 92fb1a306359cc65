"""Quix Streams, the one maintained Python framework with exactly-once, state and a changelog."""

import os
from dataclasses import dataclass

from bench.candidate import Job, Output, Running
from bench.candidates.python_peers import PYTHON, ROOT, install_packages
from bench.shape import Shape


@dataclass(frozen=True, slots=True)
class QuixStreams:
    """`bench/peers/quix.py`."""

    name: str = "quix-streams"
    guarantee: str = "exactly once"
    output: Output = Output.UPDATES
    ends_by_itself: bool = False

    def supports(self, shape: Shape) -> bool:
        """Return true but for the registry's shape."""
        return not shape.registry

    def prepare(self) -> None:
        """Install its packages; raises CandidateMissing."""
        install_packages()

    def start(self, job: Job) -> Running:
        """Start it."""
        command = [str(PYTHON), "-m", "bench.peers.quix", job.servers, job.clicks, job.updates, job.group]
        command += [str(job.definitions), str(job.folder / "state")]
        return Running(job.folder).launch(command, os.environ, ROOT)
