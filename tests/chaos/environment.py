"""The target of a fault: two workers, the flow of clicks, and their visible transactions."""

import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random

from schemas.topics import DEAD_LETTERS, LINK_CLICKS, LINK_HITS
from tests.chaos.brokers import Brokers
from tests.chaos.counts import uneven
from tests.chaos.edge import Edge
from tests.chaos.end_offsets import COMMITTED, ends_of, undecided
from tests.support.deployment import UPDATES, Deployment
from tests.support.patience import stretched
from tests.support.waiting import NeverCame, wait_until
from tests.support.worker import Worker

PLAIN, STEERED = "a", "b"
"""The workers: one as operators run it, and one that can be stopped at a named point."""
WORKERS = (PLAIN, STEERED)
SETTINGS = {"LINK_ACTIONS_COMMIT_INTERVAL_MS": "20"}
TRANSACTION_TIMEOUT_SECONDS = stretched(25.0)
"""Longer than a broker needs to start after SIGKILL beside other work: one that comes back to a transaction that has
timed out meanwhile, while its former registration runs out, forgets to end it (docs/operations.md)."""
DROPPED = "Couldn't find leader endpoint for partitions"
"""Log line of a broker that drops the markers of a transaction; its records then stay undecided forever."""
RECOVER_SECONDS = 150.0
OUTPUTS = (*UPDATES, LINK_HITS, DEAD_LETTERS, LINK_CLICKS)
"""Topics that workers write to in transactions, besides the changelog."""
CATCHES = 60
"""How often a worker is stopped to look whether its transaction is open."""


class Environment:
    """One round's deployment while faults happen. `chance` is that of the fault which is on."""

    def __init__(self, deployment: Deployment, edge: Edge, brokers: Brokers) -> None:
        self.deployment = deployment
        self.edge = edge
        self.brokers = brokers
        self.chance = Random()
        self.workers: dict[str, Worker] = {}
        self.endings: Counter[int] = Counter()
        """Exit codes of workers that exited on their own."""
        self.violations: list[str] = []
        self.missed: Counter[str] = Counter()
        """How often a fault did not meet what it was aimed at."""
        self.slowest_leave = 0.0
        self.shares: dict[str, list[int]] = {}
        """The partitions of each worker, when both were ready last."""
        self._lifted_at: float | None = None
        self._recovered: float | None = None

    def start(self, name: str) -> Worker:
        """Start a worker, again if it has been there before."""
        deployment = self.deployment
        if name == STEERED:
            self.workers[name] = deployment.start_steered(name, {}, settings=SETTINGS)
        else:
            self.workers[name] = deployment.start(name, settings=SETTINGS)
        return self.workers[name]

    def other(self, name: str) -> str:
        """Return the name of the other worker."""
        return WORKERS[1 - WORKERS.index(name)]

    def catch(self, name: str) -> bool:
        """Freeze a worker in the middle of a transaction; return whether one is seen to be open.

        After some attempts freeze it at any point.
        """
        for _ in range(CATCHES):
            self.workers[name].pause()
            if self.is_open(name):
                return True
            self.workers[name].resume()
            time.sleep(self.chance.uniform(0.0, 0.02))  # to stop it at another point, not to wait for anything
        self.workers[name].pause()
        return self.is_open(name)

    def kill(self, name: str) -> bool:
        """Kill a worker; return whether it leaves an open transaction behind."""
        self.workers[name].kill()
        return self.is_open(name)

    def is_open(self, name: str) -> bool:
        """Return whether a transaction of this worker, just stopped or killed, is seen to be open.

        Seen twice: one that is just being committed would be decided at the second look.
        """
        return self._has_undecided(self.shares[name]) and self._has_undecided(self.shares[name])

    def lift(self) -> None:
        """Note that the fault is over: from here on recovering is measured."""
        self._lifted_at = time.monotonic()

    def recover(self) -> float:
        """Return how long it took until all that was published when the fault was over is committed.

        Workers that have ended are started again, as a supervisor does. Once for each fault.
        """
        if self._recovered is not None:
            return self._recovered
        lifted_at = self._lifted_at or time.monotonic()
        marks = self.edge.ends()
        wait_until(
            lambda: self._is_committed(marks), lambda: f"commit of {marks}; {self.describe()}", timeout=RECOVER_SECONDS
        )
        self._recovered = time.monotonic() - lifted_at
        return self._recovered

    def settle(self) -> None:
        """Return once both workers have their share and are ready for the next fault; look at their counts."""
        share = self.deployment.partitions // 2
        wait_until(
            lambda: all(self._is_settled(name, share) for name in WORKERS),
            lambda: f"settled group; {self.describe()}",
            timeout=RECOVER_SECONDS,
        )
        for name in WORKERS:
            self.violations += uneven(name, self.workers[name].metrics())
            self.shares[name] = self.workers[name].assigned()
        self._lifted_at = self._recovered = None

    def forget_state(self, name: str) -> None:
        """Delete all that a worker, which must have ended, has kept."""
        for path in self.deployment.state_of(name).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def compactions(self) -> int:
        """Return how far the broker says it has compacted the changelog, added up over its partitions."""
        data = self.brokers.data
        lines = (data / "cleaner-offset-checkpoint").read_text().splitlines() if data.exists() else []
        mine = self.deployment.topic(self.deployment.changelog)
        return sum(int(line.split()[2]) for line in lines if line.startswith(f"{mine} "))

    def ends_of_clicks(self) -> dict[int, int]:
        """Return the end of each partition of the clicks."""
        topic = self.deployment.topic(LINK_CLICKS)
        places = [(topic, partition) for partition in range(self.deployment.partitions)]
        return {place[1]: end for place, end in ends_of(self.deployment.admin, places, COMMITTED).items()}

    def revive(self) -> None:
        """Restart the workers that exited on their own."""
        for name in WORKERS:
            if not self.workers[name].is_running:
                code = self.workers[name].wait_exit()
                self.endings[code] += 1
                if code not in {2, 3, 4}:
                    self.violations.append(f"worker {name} ended with {code}: {self.workers[name].last_words}")
                self.start(name)

    def describe(self) -> str:
        """Describe the present state, for debugging a failure."""
        deployment = self.deployment
        ready = {name: self.workers[name].probe("/readyz") for name in self.workers}
        places = [(deployment.topic(topic), each) for topic in OUTPUTS for each in range(deployment.partitions)]
        places += [(deployment.topic(deployment.changelog), each) for each in range(deployment.partitions)]
        dropped = sum(path.read_text(errors="replace").count(DROPPED) for path in self.brokers.logs)
        facts = {
            "markers dropped by brokers": dropped,
            "committed": deployment.committed(),
            "open": undecided(deployment.admin, places),
            "ready": ready,
        }
        return str(facts)

    def _is_committed(self, marks: Mapping[int, int]) -> bool:
        self.revive()
        done = self.deployment.committed()
        return all(done.get(partition, 0) >= end for partition, end in marks.items())

    def _is_settled(self, name: str, share: int) -> bool:
        self.revive()
        try:
            return bool(self.workers[name].wait_ready(assigned=share, timeout=0.0))
        except NeverCame:
            return False

    def _has_undecided(self, partitions: Iterable[int]) -> bool:
        """Return whether any of these output partitions ends with undecided records."""
        deployment = self.deployment
        topics = [deployment.topic(topic) for topic in (*OUTPUTS, deployment.changelog)]
        return bool(undecided(deployment.admin, [(topic, partition) for topic in topics for partition in partitions]))
