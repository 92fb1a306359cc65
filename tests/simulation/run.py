"""One run: everything that one seed determines."""

import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from random import Random

from consumer.decision.outcome import BatchCounts
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.group import OffsetsInDoubt
from runtime.kafka.admin.topics import Cleanup
from tests.loop.fake_environment import GROUP, FakeEnvironment
from tests.loop.scenario import Story
from tests.simulation.equipment import Variant
from tests.simulation.fault import OF_THE_HISTORY, Fault, Kind, plan_faults
from tests.simulation.instance import Instance, World
from tests.simulation.onlooker import Onlooker
from tests.simulation.operator import Operator
from tests.simulation.process import Process
from tests.simulation.scheduler import Endless, Scheduler
from tests.simulation.traffic import LAST_SECOND, Traffic
from tests.simulation.verdict import (
    find_violations,
    find_wrong_chapters,
    find_wrong_counts,
    find_wrong_disks,
    find_wrong_state,
)

HEARTBEAT_SECONDS = 0.5
SESSION_SECONDS = (1.5, 4.0)
TRANSACTION_SECONDS = (2.0, 5.0)
"""Shorter than sessions or longer: which ends first is drawn for each seed."""
MARKER_SECONDS = (0.0, 0.2, 2.0)
"""By when the last marker of a transaction has arrived, most of them much earlier."""
DRAIN_SECONDS = 90.0
LEAVE_SECONDS = 20.0


@dataclass
class Outcome:
    """The result of one seed."""

    seed: int
    faults: list[Fault]
    struck: dict[int, bool] = field(default_factory=dict)
    """The faults that struck, and whether a transaction was open then."""
    violations: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    seconds: float = 0.0


def run_seed(seed: int, without: Collection[int] = (), variant: Variant | None = None) -> Outcome:
    """Run a seed without some of its faults; deterministic for the same arguments."""
    run = Run(seed, without, variant or Variant())
    try:
        run.work()
    except Endless:
        run.outcome.violations.append("the run goes round in circles")
    except Exception:  # noqa: BLE001 - any other error is what the simulator looks for
        run.outcome.violations.append(traceback.format_exc())
    return run.outcome


class Run:
    """Builds an environment, injects the faults, and verifies the result."""

    def __init__(self, seed: int, without: Collection[int], variant: Variant) -> None:
        self._random, self._markers = Random(seed), Random(f"{seed}/markers")
        self._of_confirmation = Random(f"{seed}/confirmation")
        self._scheduler = Scheduler()
        self._session_seconds = self._random.uniform(*SESSION_SECONDS)
        self._transaction_seconds = self._random.uniform(*TRANSACTION_SECONDS)
        self._marker_seconds = self._random.choice(MARKER_SECONDS)
        cluster = FakeCluster(self._scheduler, send_marker=self._send_marker)
        self._environment = FakeEnvironment(self._random.randint(2, 4), cluster)
        self._story = Story(self._environment)
        workers = [f"worker-{number}" for number in range(self._random.randint(2, 3))]
        guests = ["guest"] if self._random.random() < 0.5 else []
        planned = plan_faults(self._random, workers, guests)
        faults = [fault for fault in planned if fault.number not in without]
        self.outcome = Outcome(seed, faults)
        self._healed = False
        self._put_out: set[str] = set()
        """Members that the group removed although they are alive."""
        self._broker_away_until = 0.0
        world = World(
            seed=seed,
            environment=self._environment,
            scheduler=self._scheduler,
            variant=variant,
            tell=self._tell,
            faults={(fault.worker, fault.call, fault.nth): fault for fault in faults if fault.worker},
            note=self._note,
            broker_is_away=lambda: self._scheduler.monotonic() < self._broker_away_until,
            is_healed=lambda: self._healed,
            hear_of_contradiction=lambda: self._operator.hear_of_contradiction(self),
        )
        self._instances = {name: Instance(name, world) for name in [*workers, *guests]}
        self._onlooker = Onlooker(self._environment)
        self._operator = Operator(
            self._environment,
            self._scheduler,
            Random(f"{seed}/operator"),
            onlooker=self._onlooker,
            tell=lambda what: self._tell("operator", what),
        )
        for name in workers:
            self._scheduler.after(self._random.random(), self._instances[name].begin)
        for fault in faults:
            if not fault.worker:
                self._scheduler.after(fault.nth / 10, partial(self._strike_world, fault))

    def work(self) -> None:
        """Run, heal, drain, stop, verify."""
        Traffic(self._story, self._scheduler, self._random, self._of_confirmation).plan()
        self._tick()
        if not self._scheduler.run(self._is_drained, at_most_seconds=DRAIN_SECONDS):
            self.outcome.violations.append(f"clicks are left after {DRAIN_SECONDS:g} s")
        self._healed = True
        if not self._scheduler.run(self._is_settled, at_most_seconds=LEAVE_SECONDS):
            self.outcome.violations += find_wrong_state(self._environment, self._onlooker, self._running)
        for instance in self._instances.values():
            instance.stop()
        left = self._scheduler.run(lambda: not self._running, at_most_seconds=LEAVE_SECONDS)
        if not left:
            self.outcome.violations.append(f"{[each.name for each in self._running]} do not leave")
        # A worker that leaves with an unknown outcome leaves the transaction to its time-out.
        transactions = self._environment.cluster.transactions
        self._scheduler.run(lambda: not transactions.open_transactions, at_most_seconds=2 * max(TRANSACTION_SECONDS))
        self.outcome.seconds = self._scheduler.monotonic()
        self._verify()

    def _send_marker(self, arrive: Callable[[], None]) -> None:
        self._scheduler.after(self._markers.random() ** 3 * self._marker_seconds, arrive)

    def _tick(self) -> None:
        """Do what time does in a broker and in the clients' own threads."""
        for process in self._running:
            process.send_heartbeat()
        cluster = self._environment.cluster
        group = cluster.group(GROUP, self._environment.names.clicks)
        members = group.members
        group.expire_members(self._session_seconds)
        self._put_out |= {process.member for process in self._running} & (set(members) - set(group.members))
        for name in cluster.transactions.expire_older_than(self._transaction_seconds):
            self._tell("broker", f"the transaction of {name} is too old and is aborted")
        self._onlooker.look()
        self._scheduler.after(HEARTBEAT_SECONDS, self._tick)

    @property
    def _running(self) -> list[Process]:
        return [process for instance in self._instances.values() for process in instance.running]

    def _is_drained(self) -> bool:
        """Return whether all clicks are committed and no offset is pending."""
        if self._scheduler.monotonic() <= LAST_SECOND:
            return False
        cluster, topic = self._environment.cluster, self._environment.names.clicks
        if cluster.transactions.open_transactions or self._operator.is_busy:
            return False
        group = cluster.group(GROUP, topic)
        logs = cluster.topic(topic).logs
        try:
            committed = {p: group.committed(p) or 0 for p, _ in enumerate(logs)}
            return not any(
                log.read_uncommitted(committed[p], 1)[0] or 0 < committed[p] < log.start for p, log in enumerate(logs)
            )
        except OffsetsInDoubt:
            return False

    def _is_settled(self) -> bool:
        """Return whether each partition is assigned and all state is right."""
        at_work = sum(len(process.live) for process in self._running)
        if at_work != self._environment.partitions or not self._is_drained():
            return False
        self._onlooker.look()
        return not find_wrong_state(self._environment, self._onlooker, self._running)

    def _strike_world(self, fault: Fault) -> None:
        """Inject a fault that concerns no single worker."""
        if self._healed:
            return
        self.outcome.struck[fault.number] = bool(self._environment.cluster.transactions.open_transactions)
        self._tell("world", str(fault))
        if fault.kind is Kind.BROKER_AWAY:
            self._broker_away_until = self._scheduler.monotonic() + fault.seconds
        elif fault.kind is Kind.JOIN and fault.call in self._instances:
            guest = self._instances[fault.call]
            guest.begin()
        elif fault.kind is Kind.COMPACTION:
            self._compact()
        elif fault.kind in OF_THE_HISTORY:
            self._operator.strike(fault, self)

    def pause(self) -> None:
        """Stop all workers."""
        for instance in self._instances.values():
            instance.pause()

    def resume(self) -> None:
        """Start those again that were there."""
        for instance in self._instances.values():
            instance.resume()

    def are_gone(self) -> bool:
        """Return whether no worker is left."""
        return not self._running

    def _compact(self) -> None:
        self._onlooker.look()
        for topic in self._environment.cluster.topics.values():
            for log in topic.logs if topic.cleanup is Cleanup.COMPACT else ():
                log.compact()

    def _note(self, fault: Fault, process: Process) -> None:
        self.outcome.struck[fault.number] = process.has_open_transaction
        process.tell(f"{fault}{', in an open transaction' if process.has_open_transaction else ''}")

    def _tell(self, name: str, what: str) -> None:
        self.outcome.story.append(f"{self._scheduler.monotonic():9.3f}  {name}: {what}")

    def _verify(self) -> None:
        self._onlooker.look()
        self._onlooker.look_back()
        instances = self._instances.values()
        processes = [process for each in instances for process in each.processes]
        counts = sum((each.counts for each in instances), BatchCounts())
        complete = all(process.end == "left" for process in processes)
        # A worker that was removed before its commit was answered cannot find out whether it took place.
        complete &= not self._put_out
        self.outcome.violations += [
            *self._onlooker.violations,
            *find_wrong_disks(self._environment, self._onlooker, processes),
        ]
        if self._operator.has_struck:
            self.outcome.violations += find_wrong_chapters(self._story, self._operator.chapters, self._onlooker)
            return
        self.outcome.violations += [
            *find_violations(self._story),
            *find_wrong_counts(self._story, counts, complete=complete),
        ]
