"""link-actions: the installed worker with its default settings."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.candidate import Job, Output, Running
from bench.shape import Shape


@dataclass(frozen=True, slots=True)
class LinkActions:
    """`link-actions run`, which ends once all is done if it is to drain."""

    name: str = "link-actions"
    guarantee: str = "exactly once"
    output: Output = Output.UPDATES
    drain: bool = True

    @property
    def ends_by_itself(self) -> bool:
        """Return whether it ends once all is done."""
        return self.drain

    def supports(self, shape: Shape) -> bool:  # noqa: ARG002 - it does them all
        """Return true: it supports all shapes."""
        return True

    def prepare(self) -> None:
        """Do nothing: it is installed."""

    def start(self, job: Job) -> Running:
        """Start a worker with a separate state."""
        command = [str(Path(sys.executable).with_name("link-actions")), "run", *(["--drain"] if self.drain else [])]
        return Running(job.folder).launch(command, worker_environ(job))


def worker_environ(job: Job) -> dict[str, str]:
    """Return the environment of a worker that does the job: this one's, without the settings that it may have."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LINK_ACTIONS_")}
    environ |= {
        "LINK_ACTIONS_BOOTSTRAP_SERVERS": job.servers,
        "LINK_ACTIONS_GROUP_ID": job.group,
        "LINK_ACTIONS_INSTANCE_ID": job.group,
        "LINK_ACTIONS_TOPIC_PREFIX": job.prefix,
        "LINK_ACTIONS_STATE_DIR": str(job.folder / "state"),
        "LINK_ACTIONS_HTTP_PORT": "0",
    }
    if job.registry_url:
        environ["LINK_ACTIONS_SCHEMA_REGISTRY_URL"] = job.registry_url
    return environ
