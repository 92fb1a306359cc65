"""The course of a round: the faults, a calm stretch, the shutdown of the workers, and verification."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random

from tests.chaos.counts import miscounted, outcomes_of
from tests.chaos.environment import WORKERS, Environment
from tests.chaos.local_state import LocalState, differing, identity_of, stored_by
from tests.chaos.plan import Fault
from tests.chaos.result import InjectedFault, Result
from tests.chaos.subscriber_process import SubscriberProcess
from tests.chaos.verification import Findings, open_transactions, patiently, verify_round
from tests.support.outcome import read
from tests.support.waiting import NeverCame, wait_until

CALM = 300
"""Records of the calm stretch at the end, of which every count must be there."""
MARKER_SECONDS = 15.0
REST_SECONDS = 1.0
"""Counts unchanged for this long mean that all is done: many times the duration of a batch."""


class RoundExecutor:
    """Carries out the planned faults; stops at the first violation seen before the end."""

    def __init__(
        self, environment: Environment, subscriber: SubscriberProcess, *, say: Callable[[str], object], has_disks: bool
    ) -> None:
        self._environment = environment
        self._subscriber = subscriber
        self._say = say
        self._has_disks = has_disks
        self._result = Result(missed=environment.missed, endings=environment.endings, violations=environment.violations)

    def run(self, faults: Sequence[Fault]) -> Result:
        """Return the result."""
        try:
            self._strike_all(faults)
            self._finish()
        except NeverCame as error:
            self._result.violations.append(str(error))
        return self._result

    def _strike_all(self, faults: Sequence[Fault]) -> None:
        for name in WORKERS:
            self._environment.start(name)
        self._environment.edge.flow()
        self._environment.settle()
        for number, fault in enumerate(faults, start=1):
            if fault.kind.needs_disk and not self._has_disks:
                self._result.skipped.append(fault.kind.name)
                continue
            self._say(f"fault {number} of {len(faults)}: {self._strike(fault)}")
            if self._environment.violations or self._subscriber.violations:
                break

    def _strike(self, fault: Fault) -> str:
        started = time.monotonic()
        self._environment.chance = Random(fault.seed)
        was_open = fault.kind.act(self._environment, fault.victim)
        recovery = self._environment.recover()
        self._environment.settle()
        self._result.struck.append(InjectedFault(fault.kind.name, was_open, recovery))
        hit = "in an open transaction" if was_open else "outside of a transaction"
        took = time.monotonic() - started
        return f"{fault.kind.name} ({fault.victim}), {hit}, recovered in {recovery:.1f} s, took {took:.1f} s"

    def _finish(self) -> None:
        environment = self._environment
        environment.edge.rest()
        environment.recover()
        counted, marks = self._calm()
        for name in WORKERS:
            code = environment.workers[name].stop()
            environment.violations += (
                [] if code == 0 else [f"worker {name} ended with {code} when it was told to leave"]
            )
        with suppress(NeverCame):  # the last markers are written a moment after the commit that they belong to
            wait_until(
                lambda: not open_transactions(environment.deployment),
                "end of all transactions",
                timeout=MARKER_SECONDS,
            )
        environment.violations += open_transactions(environment.deployment)
        findings = self._verify()
        calm = {place: outcome for place, outcome in findings.outcomes.items() if place[1] >= marks.get(place[0], 0)}
        environment.violations += miscounted(counted, Counter(calm.values()))

    def _calm(self) -> tuple[Counter[str], dict[int, int]]:
        """Publish without a fault; return what the workers counted of it, and its first offsets."""
        before, marks = self._resting_counts(0), self._environment.ends_of_clicks()
        self._environment.edge.send(CALM)
        after = self._resting_counts(before.total() + CALM)
        after.subtract(before)
        return +after, marks

    def _resting_counts(self, least: int) -> Counter[str]:
        """Return the workers' outcome counts, once they have reached the total and stayed constant for a while."""
        seen: Counter[str] = Counter()
        since = time.monotonic()

        def rests() -> bool:
            nonlocal seen, since
            now = outcomes_of(self._environment.workers[name].metrics() for name in WORKERS)
            if now != seen:
                seen, since = now, time.monotonic()
            return seen.total() >= least and time.monotonic() - since > REST_SECONDS

        wait_until(rests, "rest of the counts")
        return seen

    def _verify(self) -> Findings:
        environment, result = self._environment, self._result
        deployment = environment.deployment
        findings = verify_round(deployment, environment.edge.acknowledged)
        environment.violations += findings.violations
        environment.violations += differing(self._stores(), patiently(lambda: read(deployment, deployment.changelog)))
        seen = self._subscriber.finish()
        environment.violations += self._subscriber.violations
        if seen != findings.updates:
            environment.violations.append(f"who read along saw {seen} updates, and there are {findings.updates}")
        result.clicks, result.updates = findings.clicks, findings.updates
        result.unknown, result.slowest_leave = environment.edge.unknown, environment.slowest_leave
        return findings

    def _stores(self) -> list[LocalState]:
        deployment = self._environment.deployment
        identity = identity_of(deployment.admin, deployment.topic(deployment.changelog))
        return [
            stored
            for name in self._environment.workers
            for stored in stored_by(name, deployment.state_of(name), identity, deployment.partitions)
        ]
