"""The subscriber's process, and the findings it has reported."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from deploy.kafka.lifeline import Lifeline
from tests.support.patience import stretched
from tests.support.waiting import wait_until

START_SECONDS = 30.0
FINISH_SECONDS = 60.0


class SubscriberProcess:
    """Reads along from its construction on; ended together with this process."""

    def __init__(self, servers: str, prefix: str, folder: Path) -> None:
        self._path = folder / "alongside.jsonl"
        with self._path.open("wb") as told, (folder / "alongside.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.subscriber", servers, prefix],
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=log,
            )
        self._lifeline = Lifeline(self._process.pid)

    def wait_reading(self) -> "SubscriberProcess":
        """Return once it reads."""
        wait_until(lambda: self._told("reading"), "subscriber that reads along", timeout=START_SECONDS)
        return self

    @property
    def violations(self) -> list[str]:
        """The violations seen so far."""
        return [
            f"{each['violation']} ({each['topic']}/{each['partition']} at {each['offset']})"
            for each in self._said()
            if "violation" in each
        ]

    def finish(self) -> int:
        """Let it read to the end, and return how many updates it saw."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(stretched(FINISH_SECONDS))
        finished = self._told("finished")
        assert finished, f"who read along failed, see {self._path.with_suffix('.log')}"
        return int(finished[0])

    def close(self) -> None:
        """Kill it; harmless if it has ended."""
        self._process.kill()
        self._process.wait()
        self._lifeline.cut()

    def _told(self, what: str) -> list[Any]:
        return [each[what] for each in self._said() if what in each]

    def _said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text().splitlines(keepends=True) if line.endswith("\n")]
