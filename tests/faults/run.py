"""The run: clicks flow, workers are killed and restarted, and the result is verified at the end."""

import time
from collections.abc import Callable
from itertools import islice

from tests.faults.plan import Kill, plan_kills
from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.outcome import Outcome, look_at
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until
from tests.support.worker import Worker

WORKERS = ("a", "b")
PER_SECOND = 6_000
SETTLE_SECONDS = 120.0
# Short, so that a kill often finds a transaction open.
SETTINGS = {"LINK_ACTIONS_COMMIT_INTERVAL_MS": "20"}


class FaultRun:
    """Two workers on a deployment; `say` gets a line for each thing that happens."""

    def __init__(self, deployment: Deployment, *, clicks: int, say: Callable[[str], object]) -> None:
        self._deployment = deployment
        self._clicks = clicks
        self._say = say
        self._workers: dict[str, Worker] = {}
        self.hit_transactions = 0
        """Number of kills that left an open transaction behind."""

    def run(self, *, kills: int, seed: int) -> Outcome:
        """Publish, kill and restart each worker as planned, and verify when every click is committed."""
        plan = plan_kills(WORKERS, clicks=self._clicks, kills=kills, seed=seed)
        clicks = islice(endless_clicks(seed, recipients=max(self._clicks // 10, 10)), self._clicks)
        self._deployment.define(*LINKS)
        for name in WORKERS:
            self._start(name)
        with Flow(self._deployment, clicks, per_second=PER_SECOND) as flow:
            for number, kill in enumerate(plan, start=1):
                self._say(f"kill {number} of {len(plan)}: {self._carry_out(kill, flow)}")
            flow.limit = self._clicks
            wait_until(lambda: flow.published == self._clicks, "end of the clicks", timeout=SETTLE_SECONDS)
        self._say(f"all {self._clicks:,} clicks are published; waiting until the last is committed")
        self._deployment.wait_done(timeout=SETTLE_SECONDS)
        # One that still starts is ended by the signal itself: nothing can be lost before it listens.
        codes = {worker.wait_ready().stop() for worker in self._workers.values()}
        assert codes == {0}, f"workers that were told to stop ended with {codes}"
        self._say("reading and verifying")
        return look_at(self._deployment)

    def _carry_out(self, kill: Kill, flow: Flow) -> str:
        flow.limit = kill.resume_at
        victim = self._workers[kill.victim].wait_ready()
        flow.limit = kill.halt_at
        wait_until(
            lambda: self._deployment.total_committed() >= kill.committed,
            f"commit of {kill.committed} clicks",
            timeout=SETTLE_SECONDS,
        )
        partitions = victim.assigned()
        time.sleep(kill.later_seconds)  # not to wait for anything, but to strike anywhere in the cycle
        if kill.in_transaction:
            wait_until(lambda: self._deployment.has_open_transaction(partitions), "open transaction")
        victim.kill()
        was_open = self._deployment.has_open_transaction(partitions)
        self.hit_transactions += was_open
        self._start(kill.victim)
        hit = "with a transaction open" if was_open else "between two transactions"
        return f"{kill.victim} with partitions {partitions}, {flow.published:,} clicks published, {hit}"

    def _start(self, name: str) -> None:
        self._workers[name] = self._deployment.start(name, settings=SETTINGS)
