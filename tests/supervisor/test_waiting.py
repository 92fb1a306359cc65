"""The supervisor while a worker waits for its restart; its workers are twins in this process, which end by script."""

import signal
from collections.abc import Sequence
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
        self.signals: list[signal.Signals] = []
        self._events = events
        self._script = list(script)

    def start(self) -> None:
        self.starts += 1
        for happening in self._script.pop(0) if self._script else ():
            self._events.put(happening if isinstance(happening, signal.Signals) else (self, happening))

    def send(self, number: signal.Signals) -> None:
        self.signals.append(number)
        self._events.put((self, 0))


def supervise(events: Events, *children: TwinChild) -> tuple[ExitCode, list[str]]:
    """Run to the end; return the exit code and the names of those that were started again."""
    restarted: list[str] = []
    supervisor = Supervisor(children, events, is_done_at_zero=False, on_restart=restarted.append)
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


@pytest.mark.parametrize("code", [ExitCode.USAGE, ExitCode.STREAM_FATAL])
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
