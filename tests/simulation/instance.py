"""One worker as an operator knows it: a name, a disk, and one process after the other."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from consumer.decision.outcome import BatchCounts
from tests.loop.fake_environment import FakeEnvironment
from tests.simulation.disk import SimulatedDisk
from tests.simulation.equipment import Variant
from tests.simulation.fault import Disk, Fault, Kind
from tests.simulation.process import Process
from tests.simulation.scheduler import Scheduler

RESTART_SECONDS = 2.0
TAKEOVER_SECONDS = 0.5
Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class World:
    """Parts that all instances share. `tell` takes the name of an instance and an event."""

    seed: int
    environment: FakeEnvironment
    scheduler: Scheduler
    variant: Variant
    tell: Tell
    faults: Mapping[tuple[str, str, int], Fault]
    note: Callable[[Fault, Process], None]
    broker_is_away: Callable[[], bool]
    is_healed: Callable[[], bool]
    hear_of_contradiction: Callable[[], None]


@dataclass
class Instance:
    """Restarts its process when that ends, as a supervisor does, until `leave`."""

    name: str
    world: World
    disk: SimulatedDisk = field(default_factory=SimulatedDisk)
    processes: list[Process] = field(default_factory=list)
    is_wanted: bool = True
    calls: Counter[str] = field(default_factory=Counter)
    has_begun: bool = False
    is_paused: bool = False
    _disk_fault: Fault | None = None

    def __post_init__(self) -> None:
        self._random = Random(f"{self.world.seed}/{self.name}")

    @property
    def running(self) -> list[Process]:
        return [process for process in self.processes if process.is_alive]

    @property
    def counts(self) -> BatchCounts:
        return sum((process.observer.counts for process in self.processes), BatchCounts())

    def start(self) -> None:
        """Start a process; a stalled one keeps running beside it for some time, on its own disk."""
        number = len(self.processes) + 1
        name = self.name if number == 1 else f"{self.name}, life {number}"
        process = Process(
            self.world.environment,
            self.world.scheduler,
            self.disk,
            name=self.name,
            variant=self.world.variant,
            random=Random(f"{self.world.seed}/{self.name}/{number}"),
            strike=self._strike,
            tell=lambda what: self.world.tell(name, what),
            broker_is_away=self.world.broker_is_away,
        )
        self.processes.append(process)
        process.tell("starts")
        self.world.scheduler.start(lambda: self._watch(process))

    def begin(self) -> None:
        """Start it for the first time, or have that done by `resume`."""
        self.has_begun = True
        if not (self.is_paused or self.processes):
            self.start()

    def pause(self) -> None:
        """Stop it, and do not restart it until `resume`."""
        self.is_paused = True
        for process in self.running:
            process.is_leaving = True

    def resume(self) -> None:
        """Start it again, if it was ever started."""
        self.is_paused = False
        if self.has_begun and self.is_wanted and not self.running:
            self.start()

    def stop(self) -> None:
        """Stop the instance; it does not restart."""
        self.is_wanted = False
        for process in self.running:
            process.is_leaving = True

    def _watch(self, process: Process) -> None:
        process.run()
        if self.processes[-1] is not process:
            return
        if process.end == "crashed" and self._disk_fault is not None:
            self._change_disk(self._disk_fault.disk)
        self._disk_fault = None
        if process.is_contradicted:
            # No supervisor starts it again: a person must choose.
            self.world.hear_of_contradiction()
        elif self.is_wanted:
            self.world.scheduler.after(self._random.random() * RESTART_SECONDS, self._start_again)

    def _start_again(self) -> None:
        # An earlier process that is still stalled does not block the supervisor.
        if self.is_wanted and not self.is_paused and not self.processes[-1].is_alive:
            self.start()

    def _take_over(self) -> None:
        if self.is_wanted and not self.is_paused:
            self.start()

    def _strike(self, process: Process, call: str) -> Fault | None:
        self.calls[call] += 1
        self.calls[""] += 1
        if self.world.is_healed():
            return None
        named = self.world.faults.get((self.name, call, self.calls[call]))
        fault = named or self.world.faults.get((self.name, "", self.calls[""]))
        if fault is not None:
            self.world.note(fault, process)
            self._prepare(fault, process)
        return fault

    def _prepare(self, fault: Fault, process: Process) -> None:
        """Do what is not for the process itself to do."""
        if fault.kind in {Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.CRASH_LATE}:
            self._disk_fault = fault
        elif fault.kind is Kind.LEAVE:
            process.is_leaving = True
        elif fault.kind is Kind.REPLACED and self.processes[-1] is process:
            self.disk = self.disk.copy()
            self._change_disk(fault.disk)
            self.world.scheduler.after(TAKEOVER_SECONDS, self._take_over)

    def _change_disk(self, change: Disk) -> None:
        if change is Disk.LOST:
            self.disk = SimulatedDisk()
        elif change is Disk.OLDER:
            self.disk = self.disk.older(self._random.random())
