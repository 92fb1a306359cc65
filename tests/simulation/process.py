"""One simulated process: the real loop with all its real parts, from its start to its end."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random

from consumer.app.assembly import LoopOptions, LoopPorts, build_loop
from consumer.loop.loop import Loop
from runtime.errors import Contradictory, LinkActionsError
from runtime.fake_kafka.group import UnknownMember
from runtime.kafka.client import transactional_id
from runtime.ports import RetriableError
from runtime.state.store import PartitionStore
from runtime.stream.batching import LingerPolicy
from tests.loop.fake_environment import GROUP, FakeEnvironment, settings_of
from tests.simulation.disk import SimulatedDisk
from tests.simulation.equipment import BitingStream, CountingObserver, Variant, formats
from tests.simulation.fault import WRITE, Fault, Kind
from tests.simulation.network import Crash, FaultyNetwork
from tests.simulation.scheduler import Scheduler

LINGER = LingerPolicy(commit_interval_seconds=0.1)
COPY_CHANCE = 0.3


class Process:
    """Implements `Host`. `strike` of the instance decides which of its calls a fault is planned for."""

    def __init__(
        self,
        environment: FakeEnvironment,
        scheduler: Scheduler,
        disk: SimulatedDisk,
        *,
        name: str,
        variant: Variant,
        random: Random,
        strike: Callable[["Process", str], Fault | None],
        tell: Callable[[str], None],
        broker_is_away: Callable[[], bool],
    ) -> None:
        self.name = name
        self.disk = disk
        self.observer = CountingObserver()
        self.is_alive = True
        self.end = ""
        self.is_leaving = False
        self.is_contradicted = False
        self._loop: Loop | None = None
        self.tell = tell
        self._environment = environment
        self._scheduler = scheduler
        self._variant = variant
        self._random = random
        self._strike = strike
        self._broker_is_away = broker_is_away
        self._cut_off_until = 0.0
        self._is_stalled = False
        self._stream: BitingStream | None = None
        disk.on_write = self._write

    def run(self) -> None:
        """Run until an exit that a supervisor handles; raise any other error."""
        try:
            self._work()
        except Crash:
            self.end = "crashed"
        except Contradictory as error:
            self.end, self.is_contradicted = f"stops: {error}", True
        except (LinkActionsError, RetriableError) as error:
            self.end = f"{type(error).__name__}: {error}"
        else:
            self.end = "left"
        finally:
            self.is_alive = False
        self.tell(self.end)

    @property
    def is_reachable(self) -> bool:
        return self._scheduler.monotonic() >= self._cut_off_until and not self._broker_is_away()

    @property
    def member(self) -> str:
        """The id that the group knows it by."""
        return self._stream.member_id if self._stream else ""

    @property
    def live(self) -> Mapping[int, PartitionStore]:
        """The partitions that are worked on now."""
        return self._loop._assignment.live if self._loop and self.is_alive else {}

    @property
    def has_open_transaction(self) -> bool:
        return self._transactional_id in self._environment.cluster.transactions.open_transactions

    def strike(self, call: str) -> Fault | None:
        return self._strike(self, call)

    def stall(self, fault: Fault) -> None:
        self._is_stalled = True
        self._scheduler.sleep(fault.seconds)
        self._is_stalled = False

    def cut_off(self, seconds: float) -> None:
        self._cut_off_until = self._scheduler.monotonic() + seconds

    def expire_transaction(self) -> None:
        if self.has_open_transaction:
            self._environment.cluster.transactions.expire(self._transactional_id)

    def send_heartbeat(self) -> None:
        """Do what the library's own thread does, as long as the process runs."""
        if self._stream is not None and self.is_reachable and not self._is_stalled:
            group = self._environment.cluster.group(GROUP, self._environment.names.clicks)
            with suppress(UnknownMember):
                group.heartbeat(self._stream.member_id)

    @property
    def _transactional_id(self) -> str:
        return transactional_id(settings_of(self.name).kafka)

    def _work(self) -> None:
        clock, cluster, names = self._scheduler, self._environment.cluster, self._environment.names
        network, variant = FaultyNetwork(self, clock, self._random), self._variant
        self._stream = stream = variant.stream(
            cluster, names.clicks, group_id=GROUP, transactional_id=self._transactional_id, network=network
        )
        ports = LoopPorts(
            consumer=stream,
            changelog=variant.reader(cluster, names.changelog, network),
            definitions=variant.reader(cluster, names.definitions, network),
            state=self.disk,
            in_flight=self.disk.page,
            known_topics=self.disk.known,
            observer=self.observer,
            clock=clock,
        )
        options = LoopOptions(self._environment.partitions, LINGER)
        self._loop = build_loop(ports, formats(), options, loop=variant.loop, history=variant.history)
        self._loop.run(lambda: self.is_leaving)
        stream.close()

    def _write(self, write: Callable[[], None]) -> None:
        """Write to the disk, as far as a fault lets it."""
        fault = self.strike(WRITE)
        kind = fault.kind if fault else None
        if kind is Kind.DISK_FULL:
            raise RetriableError("the disk is full")
        if kind in {Kind.CRASH_BEFORE, Kind.CRASH_LATE}:
            raise Crash
        if fault and kind in {Kind.STALL_BEFORE, Kind.REPLACED}:
            self.stall(fault)
        write()
        if kind is Kind.CRASH_AFTER:
            raise Crash
        if fault and kind is Kind.STALL_AFTER:
            self.stall(fault)
        if self._random.random() < COPY_CHANCE:
            self.disk.keep_copy()
