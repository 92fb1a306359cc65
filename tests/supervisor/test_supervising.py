"""The supervisor with fake children: restarts, shutdown and exit codes."""

import signal
from collections.abc import Mapping, Sequence
from queue import SimpleQueue

import pytest

from runtime.errors import ExitCode
from runtime.supervisor.child import Child
from runtime.supervisor.supervisor import Events, Supervisor


class FakeChild(Child):
    """A child without a process. Each start plays one part of the script: return codes, and signals to the supervisor.

    Without a return code in its part it runs until a signal ends it.
    """

    def __init__(self, name: str, events: Events, *script: Sequence[int | signal.Signals]) -> None:
        super().__init__(name, {}, [], program=(), on_exit=events.put)
        self.starts = 0
        self.ends_with: Mapping[signal.Signals, int | None] = {signal.SIGTERM: 0, signal.SIGKILL: -signal.SIGKILL}
        """Its return code by signal; None if it ignores the signal."""
        self.signals: list[signal.Signals] = []
        self._events = events
        self._script = list(script)

    def start(self) -> None:
        self.starts += 1
        for event in self._script.pop(0) if self._script else ():
            self._events.put(event if isinstance(event, signal.Signals) else (self, event))

    def send(self, number: signal.Signals) -> None:
        self.signals.append(number)
        code = self.ends_with[number]
        if code is not None:
            self._events.put((self, code))


def supervise(events: Events, *children: FakeChild, drain: bool = False) -> tuple[ExitCode, list[str]]:
    """Run to the end; return the exit code and the names of the restarted children."""
    restarted: list[str] = []
    supervisor = Supervisor(children, events, is_done_at_zero=drain, on_restart=restarted.append)
    return supervisor.run(), restarted


def test_no_restart_after_sigterm() -> None:
    events: Events = SimpleQueue()
    ends = FakeChild("w-1", events, [ExitCode.UNEXPECTED])
    stays = FakeChild("w-2", events, [signal.SIGTERM])

    assert supervise(events, ends, stays) == (ExitCode.DONE, [])
    assert (ends.starts, stays.starts) == (1, 1)
    assert (ends.signals, stays.signals) == ([], [signal.SIGTERM])


def test_sigint_while_all_wait_for_restart_stops_at_once() -> None:
    events: Events = SimpleQueue()
    child = FakeChild("w-1", events, [ExitCode.UNEXPECTED, signal.SIGINT])

    assert supervise(events, child) == (ExitCode.DONE, [])
    assert child.starts == 1


@pytest.mark.parametrize("code", [ExitCode.USAGE, ExitCode.TOO_MANY_BAD_RECORDS, ExitCode.CONTRADICTORY])
def test_final_exit_code_of_one_stops_all(code: ExitCode) -> None:
    events: Events = SimpleQueue()
    waits, fails = FakeChild("w-1", events, [ExitCode.UNEXPECTED]), FakeChild("w-2", events, [code])
    stays = FakeChild("w-3", events)

    assert supervise(events, stays, waits, fails) == (code, [])
    assert (waits.starts, stays.signals) == (1, [signal.SIGTERM])


def test_crashed_child_is_restarted_after_its_delay() -> None:
    events: Events = SimpleQueue()
    child = FakeChild("w-1", events, [ExitCode.UNEXPECTED], [signal.SIGTERM])

    assert supervise(events, child) == (ExitCode.DONE, ["w-1"])
    assert (child.starts, child.signals) == (2, [signal.SIGTERM])


def test_second_signal_kills_remaining_children() -> None:
    events: Events = SimpleQueue()
    leaves, stays = FakeChild("w-1", events), FakeChild("w-2", events, [signal.SIGTERM, signal.SIGINT])
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
def test_exit_code_during_shutdown_counts_unless_expected(ended_with: int, code: ExitCode) -> None:
    events: Events = SimpleQueue()
    child, other = FakeChild("w-1", events), FakeChild("w-2", events, [signal.SIGTERM])
    child.ends_with = {signal.SIGTERM: ended_with}

    assert supervise(events, child, other) == (code, [])


def test_drained_child_is_done_while_others_run() -> None:
    events: Events = SimpleQueue()
    drained, fails = FakeChild("w-1", events, [0]), FakeChild("w-2", events, [ExitCode.UNEXPECTED], [0])

    assert supervise(events, drained, fails, drain=True) == (ExitCode.DONE, ["w-2"])
    assert drained.starts == 1


def test_most_severe_exit_code_wins() -> None:
    events: Events = SimpleQueue()
    heavy = FakeChild("w-1", events, [ExitCode.TOO_MANY_BAD_RECORDS])
    light = FakeChild("w-2", events)
    light.ends_with = {signal.SIGTERM: ExitCode.UNEXPECTED}

    assert supervise(events, heavy, light) == (ExitCode.TOO_MANY_BAD_RECORDS, [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_handlers_are_restored_after_run(number: signal.Signals) -> None:
    class Interrupted(FakeChild):
        def start(self) -> None:
            super().start()
            signal.raise_signal(number)

    before = signal.getsignal(number)
    events: Events = SimpleQueue()
    child = Interrupted("w-1", events)

    assert supervise(events, child) == (ExitCode.DONE, [])
    assert child.signals == [signal.SIGTERM]
    assert signal.getsignal(number) is before
