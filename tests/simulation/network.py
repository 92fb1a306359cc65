"""The network of one process: where requests and answers travel, and where most faults strike."""

from collections.abc import Callable
from random import Random
from typing import Protocol, TypeVar

from runtime.fake_kafka.network import Lost
from runtime.fake_kafka.refusal import Refusal
from tests.simulation.fault import CONSUMING, PRODUCING, Fault, Kind
from tests.simulation.scheduler import Scheduler

Answer = TypeVar("Answer")

LATENCY_SECONDS = 0.004
TIMEOUT_SECONDS = 1.0
"""Request time-out of a client; shorter than a transaction's."""
POLL_TIMEOUT_SECONDS = 0.1
"""The same for requests that the library retries."""


class Crash(BaseException):
    """The process dies: nothing that comes after is done, nothing is tidied up."""


class Host(Protocol):
    """The process whose requests these are."""

    @property
    def is_reachable(self) -> bool: ...

    def strike(self, call: str) -> Fault | None:
        """Count a call, and return the fault that is planned for it."""

    def stall(self, fault: Fault) -> None: ...

    def cut_off(self, seconds: float) -> None: ...

    def expire_transaction(self) -> None: ...

    def tell(self, what: str) -> None: ...


class FaultyNetwork:
    """Each request takes its time, there and back; meanwhile others go on."""

    def __init__(self, process: Host, scheduler: Scheduler, random: Random) -> None:
        self._process = process
        self._scheduler = scheduler
        self._random = random

    def ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        fault = self._process.strike(name)
        self._travel()
        if fault is None:
            if not self._process.is_reachable:
                self._lose(name)
            answer = request()
        else:
            answer = self._ask_with(fault, name, request)
        self._travel()
        return answer

    def _ask_with(self, fault: Fault, name: str, request: Callable[[], Answer]) -> Answer:
        """Let a fault have its way."""
        kind = fault.kind
        if kind is Kind.CRASH_BEFORE:
            raise Crash
        if kind in {Kind.STALL_BEFORE, Kind.REPLACED}:
            self._process.stall(fault)
        elif kind is Kind.REQUEST_LOST or (kind is Kind.LATE and name not in PRODUCING):
            self._lose(name)
        elif kind is Kind.EXPIRED:
            self._process.expire_transaction()
        elif kind is Kind.CUT_OFF:
            self._process.cut_off(fault.seconds)
            self._lose(name)
        elif kind in {Kind.LATE, Kind.CRASH_LATE}:
            self._scheduler.after(fault.seconds, lambda: self._arrive(fault, request))
            if kind is Kind.CRASH_LATE:
                raise Crash
            self._lose(name)
        return self._answer_with(fault, name, request)

    def _answer_with(self, fault: Fault, name: str, request: Callable[[], Answer]) -> Answer:
        kind = fault.kind
        if kind is Kind.CRASH_AFTER:
            self._arrive(fault, request)
            raise Crash
        if kind is Kind.ANSWER_LOST:
            self._arrive(fault, request)
            self._lose(name)
        answer = request()
        if kind is Kind.REPEATED:
            answer = request()
        if kind is Kind.STALL_AFTER:
            self._process.stall(fault)
        return answer

    def _arrive(self, fault: Fault, request: Callable[[], object]) -> None:
        """Carry out a request whose answer is lost."""
        try:
            request()
        except Refusal as refusal:
            self._process.tell(f"what fault {fault.number} held back is refused: {refusal}")

    def _lose(self, name: str) -> None:
        self._scheduler.sleep(POLL_TIMEOUT_SECONDS if name in CONSUMING else TIMEOUT_SECONDS)
        raise Lost(name)

    def _travel(self) -> None:
        self._scheduler.sleep(self._random.random() * LATENCY_SECONDS)
