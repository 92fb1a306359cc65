"""The supervisor with workers that are twins in this process: how it restarts them, leaves, and with which code."""

import signal
from collections.abc import Mapping, Sequence
from queue import SimpleQueue

import pytest

from consumer.errors import ExitCode
from consumer.supervisor.child import Child
from consumer.supervisor.supervisor import Events, Supervisor


class TwinChild(Child):
    """A worker that is no process. Each start has its part of the script: its end, a signal to the supervisor.

    Where the script has no end, it stays until a signal ends it.
    """

    def __init__(self, name: str, events: Events, *script: Sequence[int | signal.Signals]) -> None:
        super().__init__(name, {}, [], on_end=events.put)
        self.starts = 0
        self.ends_with: Mapping[signal.Signals, int | None] = {signal.SIGTERM: 0, signal.SIGKILL: -signal.SIGKILL}
        """What its process ends with, by signal; None where it goes on."""
        self.signals: list[signal.Signals] = []
        self._events = events
        self._script = list(script)

    def start(self) -> None:
        self.starts += 1
        for happening in self._script.pop(0) if self._script else ():
            self._events.put(happening if isinstance(happening, signal.Signals) else (self, happening))

    def send(self, number: signal.Signals) -> None:
        self.signals.append(number)
        code = self.ends_with[number]
        if code is not None:
            self._events.put((self, code))


def supervise(events: Events, *children: TwinChild, drain: bool = False) -> tuple[ExitCode, list[str]]:
    """Run to the end; return the exit code and the names of those that were started again."""
    restarted: list[str] = []
    supervisor = Supervisor(children, events, is_done_at_zero=drain, on_restart=restarted.append)
    return supervisor.run(), restarted


def test_told_to_leave_meanwhile_it_starts_none() -> None:
    events: Events = SimpleQueue()
    ends = TwinChild("w-1", events, [ExitCode.UNEXPECTED])
    stays = TwinChild("w-2", events, [signal.SIGTERM])

    assert supervise(events, ends, stays) == (ExitCode.DONE, [])
    assert (ends.starts, stays.starts) == (1, 1)
    assert (ends.signals, stays.signals) == ([], [signal.SIGTERM])


def test_told_to_leave_while_all_of_them_wait_it_leaves_at_once() -> None:
    events: Events = SimpleQueue()
    child = TwinChild("w-1", events, [ExitCode.UNEXPECTED, signal.SIGINT])

    assert supervise(events, child) == (ExitCode.DONE, [])
    assert child.starts == 1


@pytest.mark.parametrize("code", [ExitCode.USAGE, ExitCode.TOO_MANY_BAD_RECORDS, ExitCode.CONTRADICTORY])
def test_one_that_must_not_go_on_meanwhile_ends_all(code: ExitCode) -> None:
    events: Events = SimpleQueue()
    waits, fails = TwinChild("w-1", events, [ExitCode.UNEXPECTED]), TwinChild("w-2", events, [code])
    stays = TwinChild("w-3", events)

    assert supervise(events, stays, waits, fails) == (code, [])
    assert (waits.starts, stays.signals) == (1, [signal.SIGTERM])


def test_it_is_started_again_after_its_delay_and_then_told_to_leave() -> None:
    events: Events = SimpleQueue()
    child = TwinChild("w-1", events, [ExitCode.UNEXPECTED], [signal.SIGTERM])

    assert supervise(events, child) == (ExitCode.DONE, ["w-1"])
    assert (child.starts, child.signals) == (2, [signal.SIGTERM])


def test_told_twice_it_kills_those_that_have_not_left() -> None:
    events: Events = SimpleQueue()
    leaves, stays = TwinChild("w-1", events), TwinChild("w-2", events, [signal.SIGTERM, signal.SIGINT])
    stays.ends_with = {signal.SIGTERM: None, signal.SIGKILL: -signal.SIGKILL}

    assert supervise(events, leaves, stays) == (ExitCode.DONE, [])
    assert stays.signals == [signal.SIGTERM, signal.SIGKILL]


@pytest.mark.parametrize(
    ("ended_with", "code"),
    [
        (0, ExitCode.DONE),
        (-signal.SIGTERM, ExitCode.DONE),
        (5, ExitCode.TOO_MANY_BAD_RECORDS),
        (77, ExitCode.UNEXPECTED),
    ],
)
def test_how_a_worker_ends_while_all_leave_is_told_unless_it_was_asked_to(ended_with: int, code: ExitCode) -> None:
    events: Events = SimpleQueue()
    child, other = TwinChild("w-1", events), TwinChild("w-2", events, [signal.SIGTERM])
    child.ends_with = {signal.SIGTERM: ended_with}

    assert supervise(events, child, other) == (code, [])


def test_a_worker_that_has_drained_is_done_and_the_others_go_on() -> None:
    events: Events = SimpleQueue()
    drained, fails = TwinChild("w-1", events, [0]), TwinChild("w-2", events, [ExitCode.UNEXPECTED], [0])

    assert supervise(events, drained, fails, drain=True) == (ExitCode.DONE, ["w-2"])
    assert drained.starts == 1


def test_the_heaviest_code_is_what_it_ends_with_whichever_came_first() -> None:
    events: Events = SimpleQueue()
    heavy = TwinChild("w-1", events, [ExitCode.TOO_MANY_BAD_RECORDS])
    light = TwinChild("w-2", events)
    light.ends_with = {signal.SIGTERM: ExitCode.UNEXPECTED}

    assert supervise(events, heavy, light) == (ExitCode.TOO_MANY_BAD_RECORDS, [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_heard_while_it_runs_and_no_longer(number: signal.Signals) -> None:
    class Interrupted(TwinChild):
        def start(self) -> None:
            super().start()
            signal.raise_signal(number)

    before = signal.getsignal(number)
    events: Events = SimpleQueue()
    child = Interrupted("w-1", events)

    assert supervise(events, child) == (ExitCode.DONE, [])
    assert child.signals == [signal.SIGTERM]
    assert signal.getsignal(number) is before
