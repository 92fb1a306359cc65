"""Candidates of the benchmark: programs that turn the clicks of a topic into updates, each in a separate process."""

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from bench.shape import Shape

STOP_SECONDS = 30


class Output(Enum):
    """The output of a candidate."""

    UPDATES = auto()
    COPIES = auto()
    NOTHING = auto()


class CandidateMissing(Exception):
    """A candidate cannot be built or run here; the message, half a sentence, says what is missing."""


@dataclass(frozen=True, slots=True)
class Job:
    """The input of a candidate: existing topics, a separate consumer group, and an empty folder."""

    servers: str
    group: str
    prefix: str
    """The prefix of all topic names."""
    clicks: str
    updates: str
    changelog: str
    """A compacted topic with as many partitions as the clicks, for candidates that create none."""
    definitions: Path
    """A JSON file of the links, for those that do not read the topic of definitions."""
    folder: Path
    registry_url: str | None = None


class Candidate(Protocol):
    """One program under measurement."""

    @property
    def name(self) -> str:
        """Its name in the table and in CANDIDATES."""

    @property
    def guarantee(self) -> str:
        """Its delivery guarantee, in a word or two for the table."""

    @property
    def output(self) -> Output:
        """The expected content of its topic of updates."""

    @property
    def ends_by_itself(self) -> bool:
        """True if it exits with code 0 once all clicks are done; otherwise the benchmark stops it."""

    def supports(self, shape: Shape) -> bool:
        """Return whether it supports this shape."""

    def prepare(self) -> None:
        """Build what it needs, once; raises CandidateMissing."""

    def start(self, job: Job) -> "Running":
        """Start it on the topics, to commit its progress as the offsets of the group."""


class Running:
    """The processes of a candidate: itself and its helpers. Their output goes to a file."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "output.log"
        self.processes: list[subprocess.Popen[bytes]] = []

    def launch(self, command: Sequence[str], environ: Mapping[str, str], folder: Path | None = None) -> "Running":
        """Start one more process."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env=environ, cwd=folder, stdout=log, stderr=log)
        self.processes.append(process)
        return self

    def stop(self) -> None:
        """End what still runs, the last one started first."""
        for process in reversed(self.processes):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            process.kill()
            process.wait()

    def last_words(self) -> str:
        """Return the end of what the processes wrote."""
        return self.log.read_text(errors="replace")[-2_000:] if self.log.exists() else ""
