"""What the benchmark can measure: anything that turns the clicks of a topic into updates, in a process of its own."""

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
    """What a candidate makes of the clicks."""

    UPDATES = auto()
    COPIES = auto()
    NOTHING = auto()


class CandidateMissing(Exception):
    """A candidate cannot be built or run here; the message, half a sentence, says what is missing."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a candidate is given: topics that exist, a consumer group of its own, and an empty folder."""

    servers: str
    group: str
    prefix: str
    """What stands before the names of all topics."""
    clicks: str
    updates: str
    changelog: str
    """A compacted topic with as many partitions as the clicks; whoever keeps none of its own may use it."""
    definitions: Path
    """A JSON file of the links, for those that do not read the topic of definitions."""
    folder: Path
    registry_url: str | None = None


class Candidate(Protocol):
    """One program under measurement."""

    @property
    def name(self) -> str:
        """What it is called in the table and by CANDIDATES."""

    @property
    def guarantee(self) -> str:
        """What it promises, in a word or two for the table."""

    @property
    def output(self) -> Output:
        """What must come out of its topic of updates."""

    @property
    def ends_by_itself(self) -> bool:
        """Whether it ends, with exit code 0, once all clicks are done; else it is ended."""

    def supports(self, shape: Shape) -> bool:
        """Tell whether it does the job for such traffic."""

    def prepare(self) -> None:
        """Build what it needs, once; raises CandidateMissing."""

    def start(self, job: Job) -> "Running":
        """Start it on the topics, to commit its progress as the offsets of the group."""


class Running:
    """The processes of a candidate: itself, and what else works for it alone. Their output goes to a file."""

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
