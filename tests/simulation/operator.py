"""The operator: what befalls offsets, changelog and clicks while no worker looks, and what is chosen then."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Protocol

from consumer.changelog.checkpoint import CHECKPOINT_KEY, Checkpoint
from consumer.loop.history import RESOLUTIONS, Resolution
from consumer.maintenance.inspection import Inspection, contradictions
from consumer.maintenance.reconcile import Reconciler, Reconciliation
from runtime.clock import Clock
from runtime.fake_kafka.cluster import Draft
from runtime.fake_kafka.group import OffsetsInDoubt
from runtime.fake_kafka.log_reader import FakeLogReader
from tests.loop.fake_environment import GROUP, FakeEnvironment
from tests.simulation.chapter import Chapters
from tests.simulation.fault import Fault, Kind
from tests.simulation.onlooker import Onlooker
from tests.simulation.scheduler import Scheduler

LOOK_SECONDS = 0.25
MAX_LOOKS = 400
MAX_CHOICES = 12


class Crew(Protocol):
    """All workers there are."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def are_gone(self) -> bool: ...


class FakeReconcileAdmin:
    """The admin port of `state reconcile`, on the in-memory fake."""

    def __init__(self, environment: FakeEnvironment) -> None:
        self._environment = environment
        self.topic = environment.names.clicks

    def members(self) -> int:
        return len(self._environment.cluster.group(GROUP, self.topic).members)

    def committed(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int | None]:
        group = self._environment.cluster.group(GROUP, topic)
        return {partition: group.committed(partition) for partition in partitions}

    def settle(self, checkpoints: Mapping[int, Checkpoint]) -> None:
        """Write in one step, which is what a transaction amounts to."""
        cluster, changelog = self._environment.cluster, self._environment.names.changelog
        cluster.group(GROUP, self.topic).set_offsets(
            {p: checkpoint.offset or 0 for p, checkpoint in checkpoints.items()}
        )
        for partition, checkpoint in checkpoints.items():
            cluster.append(changelog, partition, Draft(CHECKPOINT_KEY, checkpoint.encode()))

    def reconciling(self, clock: Clock) -> tuple[Inspection, Reconciler]:
        clicks, changelog = (
            FakeLogReader(self._environment.cluster, name) for name in (self.topic, self._environment.names.changelog)
        )
        inspection = Inspection(self, clicks, changelog, self.topic, clock.monotonic)
        return inspection, Reconciler(self, inspection, self.settle, self._environment.partitions)


class Operator:
    """Injects the faults of brokers and people, and resolves the errors that workers stop at.

    When a worker ends with a contradiction it stops all, chooses at random among the resolutions that are offered until
    nothing contradicts any more, and starts them again.
    """

    def __init__(
        self,
        environment: FakeEnvironment,
        scheduler: Scheduler,
        random: Random,
        *,
        onlooker: Onlooker,
        tell: Callable[[str], None],
    ) -> None:
        self._environment, self._scheduler, self._random = environment, scheduler, random
        self._onlooker, self._tell = onlooker, tell
        self._office = FakeReconcileAdmin(environment)
        self._is_unsettled = False
        self.chapters = Chapters(environment)
        self.is_busy = False
        self.has_struck = False

    def strike(self, fault: Fault, crew: Crew) -> None:
        """Inject the fault; stop the workers that must be gone first."""
        self.has_struck = True
        if fault.kind is Kind.CLICKS_DELETED:
            self._delete_clicks()
        elif not (self.is_busy or self._is_unsettled):
            # If offsets and changelog are lost together, a worker on a new disk cannot notice.
            self.is_busy = self._is_unsettled = True
            self._scheduler.start(lambda: self._strike_offline(fault, crew))

    def hear_of_contradiction(self, crew: Crew) -> None:
        """Start to resolve the error, unless that is in progress."""
        if not self.is_busy:
            self.is_busy = True
            self._scheduler.start(lambda: self._settle(crew))

    def _strike_offline(self, fault: Fault, crew: Crew) -> None:
        self._stop_all(crew)
        self._onlooker.look()
        if fault.kind is Kind.OFFSETS_EXPIRED:
            self._environment.cluster.forget_offsets(GROUP)
        else:
            self._environment.cluster.recreate_topic(self._environment.names.changelog)
            self._onlooker.begin_changelog()
        self.is_busy = False
        crew.resume()

    def _delete_clicks(self) -> None:
        """Delete up to anywhere before the end, as retention does; what the group has not begun with is left."""
        group = self._environment.cluster.group(GROUP, self._environment.names.clicks)
        for partition, log in enumerate(self._environment.cluster.topic(self._environment.names.clicks).logs):
            try:
                is_begun = group.committed(partition) is not None
            except OffsetsInDoubt:
                continue
            if is_begun:
                log.delete_before(self._random.randint(log.start, log.end))

    def _stop_all(self, crew: Crew) -> None:
        crew.pause()
        transactions = self._environment.cluster.transactions
        looks = 0
        while not crew.are_gone() or transactions.open_transactions:
            looks += 1
            if looks > MAX_LOOKS:
                raise AssertionError("the workers do not stop")
            self._scheduler.sleep(LOOK_SECONDS)
        group = self._environment.cluster.group(GROUP, self._environment.names.clicks)
        for member in group.members:
            group.leave(member)

    def _settle(self, crew: Crew) -> None:
        self._stop_all(crew)
        inspection, work = self._office.reconciling(self._scheduler)
        for _ in range(MAX_CHOICES):
            found = contradictions(inspection.look(self._environment.partitions))
            # If only a worker's own disk knows that dedupe state was lost, the operator can only accept that.
            resolutions = {resolution for kind, _ in found.values() for resolution in RESOLUTIONS[kind]} or {
                Resolution.ACCEPT_LOST_MEMORY
            }
            self._choose(work, self._random.choice(sorted(resolutions)))
            if not contradictions(inspection.look(self._environment.partitions)):
                break
        self.is_busy = self._is_unsettled = False
        crew.resume()

    def _choose(self, work: Reconciler, resolution: Resolution) -> None:
        self._onlooker.look()
        reconciliation, done = work.prepare(resolution), dict(self._onlooker.handled)
        chosen = {step.partition: step.checkpoint.offset or 0 for step in reconciliation.steps}
        self._tell(f"chooses --{resolution}: {', '.join(_told(reconciliation))}")
        work.apply(reconciliation)
        self.chapters.begin(done, {**done, **chosen}, chosen if resolution is Resolution.ACCEPT_LOST_MEMORY else ())
        self._onlooker.begin_chapter()


def _told(reconciliation: Reconciliation) -> list[str]:
    return [
        f"partition {step.partition} from {step.checkpoint.offset}, {step.skipped} lost"
        for step in reconciliation.steps
    ]
