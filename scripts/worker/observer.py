"""Reports the script worker's loop to metrics and health probes."""

from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry

from runtime.clock import Clock
from runtime.monitoring.health import Health, Phase
from runtime.monitoring.metric_set import MetricSet
from runtime.stream.observer import TransactionResult
from scripts.worker.metric_catalogue import (
    CATALOGUE,
    EFFECTS,
    FAILURES,
    FUEL,
    LAG,
    LAST_COMMIT,
    NOT_APPLICABLE,
    OPEN_BREAKERS,
    RUNS,
    SANDBOX_RESTARTS,
    TRANSACTIONS,
)
from scripts.worker.outcome import Ran, ScriptBatch
from scripts.worker.runner import ScriptRunner

MAX_SCRIPTS = 100
"""Scripts with series of their own; authors decide how many there are, and series stay for ever."""
OTHER = "other"


class ScriptObserver:
    """Implements `StreamObserver`."""

    def __init__(self, registry: CollectorRegistry, health: Health, clock: Clock) -> None:
        self.metrics = MetricSet(registry, CATALOGUE)
        self._health = health
        self._clock = clock
        self._scripts: set[str] = set()

    def beat(self) -> None:
        """Note that the loop is alive."""
        self._health.beat()

    def running(self) -> None:
        """Note that definitions and hits are read."""
        self._health.enter(Phase.RUNNING)

    def refused(self, reason: str | None) -> None:
        """Note why the group refuses the worker."""
        self._health.refuse(reason)

    def interrupted(self, reason: str) -> None:
        """Note why the loop waits before it retries."""
        self._health.interrupt(reason)

    def iterated(self) -> None:
        """Note a turn that ended without an error."""
        self._health.interrupt(None)

    def joined(self, *, is_member: bool) -> None:
        """Note whether the worker is a member with an assignment."""
        self._health.join(is_member=is_member)

    def assigned(self, partitions: Collection[int]) -> None:
        """Note the partitions that the worker has now."""
        self._health.assign(partitions)

    def lag(self, lag: Mapping[int, int]) -> None:
        """Set the lag of partitions, in records."""
        for partition, records in lag.items():
            self.metrics.set(LAG, records, str(partition))

    def answered(self, *, is_all_done: bool) -> None:
        """Note an answer of the broker."""
        del is_all_done
        self._health.answered()

    def transaction(self, result: TransactionResult) -> None:
        """Count the end of a transaction."""
        self.metrics.count(TRANSACTIONS, result)

    def committed(self, batch: ScriptBatch, runner: ScriptRunner) -> None:
        """Count a batch that is certainly committed."""
        self._health.commit()
        self.transaction(TransactionResult.COMMITTED)
        self.metrics.set(LAST_COMMIT, self._clock.now_ms() / 1000)
        self.metrics.set(SANDBOX_RESTARTS, runner.sandbox.restarts)
        self.metrics.set(OPEN_BREAKERS, runner.breakers.open)
        for mine in batch.ran.values():
            for ran in mine:
                self._count(ran)

    def _count(self, ran: Ran) -> None:
        script = self._script(ran)
        if ran.failure is None:
            self.metrics.count(RUNS, script)
        else:
            self.metrics.count(FAILURES, ran.failure.reason, script)
        fuel = ran.fuel if ran.failure is None else ran.failure.fuel
        if fuel is not None:
            self.metrics.observe(FUEL, fuel)
        self.metrics.count(EFFECTS, by=len(ran.updates))
        self.metrics.count(NOT_APPLICABLE, by=sum(ran.not_applicable.values()))

    def _script(self, ran: Ran) -> str:
        name = OTHER if ran.script is None else f"{ran.script.tenant_id}/{ran.script.script_id}"
        if name not in self._scripts and len(self._scripts) >= MAX_SCRIPTS:
            return OTHER
        self._scripts.add(name)
        return name
