"""The wire limits of a Python program: the client library hands records through in transactions, or but reads them."""

import os
import sys
from dataclasses import dataclass

from bench.candidate import Job, Output, Running
from bench.shape import Shape


@dataclass(frozen=True, slots=True)
class PassThrough:
    """`python -m bench.pass_through`."""

    name: str = "pass-through"
    guarantee: str = "exactly once, no state"
    output: Output = Output.COPIES
    ends_by_itself: bool = False

    def supports(self, shape: Shape) -> bool:  # noqa: ARG002 - bytes are bytes
        """Return true: it supports all shapes."""
        return True

    def prepare(self) -> None:
        """Do nothing: it needs what link-actions needs."""

    def start(self, job: Job) -> Running:
        """Start it."""
        target = job.updates if self.output is Output.COPIES else ""
        command = [sys.executable, "-m", "bench.pass_through", job.servers, job.clicks, target, job.group]
        return Running(job.folder).launch(command, os.environ)


READER = PassThrough("reader", "takes records and commits", Output.NOTHING)
