"""The supervisor with workers that do one thing each, as real processes and without a broker."""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from runtime.supervisor.child import Child
from runtime.supervisor.restarts import FENCED_DELAY_SECONDS
from runtime.supervisor.supervisor import Events, Supervisor
from tests.support.patience import stretched
from tests.support.stopping import LEAVE_SECONDS
from tests.support.waiting import wait_until
from tests.support.worker import Worker

Start = Callable[..., Worker]
SETTINGS = {"LINK_ACTIONS_BOOTSTRAP_SERVERS": "nobody:1", "LINK_ACTIONS_INSTANCE_ID": "host"}


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    """The file to which each worker appends its start."""
    return tmp_path / "starts"


@pytest.fixture
def supervise(tmp_path: Path, starts: Path) -> Iterator[Start]:
    started = []

    def start(workers: int, act: str, *options: str) -> Worker:
        program = [sys.executable, "-m", "tests.supervisor.a_supervisor"]
        worker = Worker(SETTINGS, tmp_path / "log", str(workers), act, str(starts), *options, program=program)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()


def started_in(starts: Path) -> list[tuple[str, int]]:
    """Return instance id and process id of each start so far."""
    lines = starts.read_text().splitlines() if starts.exists() else []
    return [(name, int(process_id)) for name, process_id in map(str.split, lines)]


def is_gone(process_id: int) -> bool:
    """Return whether the process has ended, reaped or not."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


def wait_all_up(worker: Worker, number: int) -> None:
    def all_up() -> bool:
        workers = worker.probe("/livez")[1].get("workers", {})
        return len(workers) == number and all(workers.values())

    wait_until(all_up, lambda: f"{number} workers; {worker.log}")


def test_workers_have_stable_names_and_stop_together(supervise: Start, starts: Path) -> None:
    supervisor = supervise(3, "stay")
    wait_all_up(supervisor, 3)
    assert sorted(name for name, _ in started_in(starts)) == ["host-1", "host-2", "host-3"]

    begun = time.monotonic()
    assert supervisor.stop() == 0
    assert time.monotonic() - begun < stretched(LEAVE_SECONDS)
    assert all(is_gone(process_id) for _, process_id in started_in(starts))


def test_killed_worker_is_restarted_under_its_name(supervise: Start, starts: Path) -> None:
    supervisor = supervise(2, "stay")
    wait_all_up(supervisor, 2)
    name, process_id = started_in(starts)[0]
    os.kill(process_id, signal.SIGKILL)
    wait_until(lambda: len(started_in(starts)) == 3, "another start")

    assert started_in(starts)[-1][0] == name
    assert supervisor.metrics()["worker_restarts_total", name] == 1
    assert supervisor.stop() == 0


def test_workers_end_when_the_supervisor_is_killed(supervise: Start, starts: Path) -> None:
    supervisor = supervise(2, "ignore")
    wait_all_up(supervisor, 2)
    supervisor.kill()

    wait_until(lambda: all(is_gone(process_id) for _, process_id in started_in(starts)), "end of the workers")


def test_crash_loop_ends_with_the_exit_code_of_the_crash(supervise: Start, starts: Path) -> None:
    supervisor = supervise(1, "3")

    assert supervisor.wait_exit() == 3
    assert len(started_in(starts)) == 5
    assert [event["restart_in_seconds"] for event in supervisor.events("worker.ended")] == [0.5, 1.0, 2.0, 4.0]
    assert supervisor.events("worker.given_up")


@pytest.mark.parametrize("code", [2, 4, 5])
def test_final_exit_code_stops_the_supervisor(supervise: Start, starts: Path, code: int) -> None:
    supervisor = supervise(2, str(code))

    assert supervisor.wait_exit() == code
    assert len(started_in(starts)) <= 2


def test_drained_workers_are_not_restarted(supervise: Start, starts: Path) -> None:
    supervisor = supervise(2, "0", "--drain")

    assert supervisor.wait_exit() == 0
    assert len(started_in(starts)) == 2


def test_workers_that_ignore_sigterm_are_killed(supervise: Start, starts: Path) -> None:
    supervisor = supervise(2, "ignore")
    wait_all_up(supervisor, 2)
    begun = time.monotonic()

    assert supervisor.stop() == 0
    assert time.monotonic() - begun < stretched(LEAVE_SECONDS + 1)
    assert all(is_gone(process_id) for _, process_id in started_in(starts))


def test_second_signal_kills_at_once(supervise: Start, starts: Path) -> None:
    supervisor = supervise(2, "ignore")
    wait_all_up(supervisor, 2)
    supervisor.send(signal.SIGINT)
    supervisor.wait_event("signal.received")
    begun = time.monotonic()

    assert supervisor.stop() == 0
    assert time.monotonic() - begun < stretched(3)
    assert all(is_gone(process_id) for _, process_id in started_in(starts))


def test_terminal_interrupt_reaches_each_worker_once(supervise: Start, starts: Path) -> None:
    """The terminal sends SIGINT to all processes of the job."""
    supervisor = supervise(2, "stay", "--job")
    wait_all_up(supervisor, 2)
    os.killpg(supervisor.process_id, signal.SIGINT)

    assert supervisor.wait_exit() == 0
    received = Path(f"{starts}.signals").read_text().splitlines()
    assert sorted(received) == ["host-1 SIGTERM", "host-2 SIGTERM"]


def test_bare_line_of_a_worker_is_logged_as_json(supervise: Start) -> None:
    supervisor = supervise(2, "mutter")
    wait_until(lambda: len(supervisor.events("said")) == 2, "lines of both")
    assert supervisor.stop() == 0

    assert supervisor.bare_lines("event", "level") == []
    written = {(event["instance"], event["text"]) for event in supervisor.events("stderr.written")}
    assert written == {
        (name, text) for name in ("host-1", "host-2") for text in ("Fatal Python error", '  File "x.py"')
    }


class ScriptedChild(Child):
    """A child without a process: its start calls `on_start`, and any signal ends it."""

    def __init__(self, name: str, events: Events, on_start: Callable[[], None] = lambda: None) -> None:
        super().__init__(name, {}, [], program=(), on_exit=events.put)
        self._events, self._on_start, self.starts = events, on_start, 0

    def start(self) -> None:
        self.starts += 1
        self._on_start()

    def send(self, number: signal.Signals) -> None:
        self._events.put((self, -number))


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_signal_during_startup_starts_no_more_workers(stop: signal.Signals) -> None:
    events: Events = SimpleQueue()
    children = [
        ScriptedChild("1", events),
        ScriptedChild("2", events, lambda: signal.raise_signal(stop)),
        ScriptedChild("3", events),
    ]
    supervisor = Supervisor(children, events, is_done_at_zero=False, on_restart=lambda _: None)

    assert supervisor.run() == 0
    assert [child.starts for child in children] == [1, 1, 0]


def test_final_exit_code_during_startup_starts_no_more_workers() -> None:
    events: Events = SimpleQueue()
    first = ScriptedChild("1", events)
    children = [first, ScriptedChild("2", events, lambda: events.put((first, 2))), ScriptedChild("3", events)]
    supervisor = Supervisor(children, events, is_done_at_zero=False, on_restart=lambda _: None)

    assert supervisor.run() == 2
    assert [child.starts for child in children] == [1, 1, 0]


def test_failed_launch_is_retried() -> None:
    events: Events = SimpleQueue()
    failures = [OSError(errno.EMFILE, "Too many open files"), OSError(errno.EAGAIN, "Try again")]

    def launch() -> None:
        if failures:
            raise failures.pop()
        events.put(signal.SIGTERM)

    child = ScriptedChild("1", events, launch)
    supervisor = Supervisor([child], events, is_done_at_zero=False, on_restart=lambda _: None)

    assert supervisor.run() == 0
    assert child.starts == 3


def test_repeated_failed_launch_ends_the_supervisor() -> None:
    events: Events = SimpleQueue()

    def fail() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    child = ScriptedChild("1", events, fail)
    supervisor = Supervisor([child], events, is_done_at_zero=False, on_restart=lambda _: None)

    assert supervisor.run() == 1
    assert child.starts == 5


def test_fenced_worker_does_not_stop_its_siblings(supervise: Start, starts: Path) -> None:
    supervisor = supervise(3, "fenced")
    ended = supervisor.wait_event("worker.ended")
    assert (ended["worker"], ended["exit_code"], ended["restart_in_seconds"]) == ("host-1", 4, FENCED_DELAY_SECONDS)
    wait_until(
        lambda: [bool(answer) for answer in supervisor.probe("/livez")[1]["workers"].values()] == [False, True, True],
        "siblings",
    )
    wait_until(lambda: len(started_in(starts)) == 4, "another start")

    assert supervisor.stop() == 0
