"""The supervisor: keeps N workers running until it is told to stop, everything is drained, or one must not restart.

Signals and exits of workers arrive as events on one queue, so one thread handles them and the restarts. The supervisor
touches neither Kafka nor state: the workers share the partitions through their group, as on several machines.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import structlog

from runtime.errors import ExitCode
from runtime.process.shutdown import STOP_SECONDS, STOPS
from runtime.supervisor.child import Child
from runtime.supervisor.restarts import Restarts, code_of, more_severe

_LOG = structlog.get_logger(__name__)

KILL_AFTER_SECONDS = STOP_SECONDS + 0.5
"""Time that workers have to stop before SIGKILL; only one that is frozen needs more."""
_EXPECTED_SIGNALS = frozenset((-signal.SIGTERM, -signal.SIGKILL))

Events = SimpleQueue[signal.Signals | tuple[Child, int]]
"""Signals that this process received, and exits of children with their return codes."""


class Supervisor:
    """Restarts children, whose exits arrive in `events`.

    With `is_done_at_zero`, a worker that exits with code 0 is done and is not restarted.
    """

    def __init__(
        self,
        children: Sequence[Child],
        events: Events,
        *,
        is_done_at_zero: bool,
        on_restart: Callable[[str], None],
    ) -> None:
        self._children = children
        self._events = events
        self._is_done_at_zero = is_done_at_zero
        self._on_restart = on_restart
        self._restarts = {child: Restarts() for child in children}
        self._running: set[Child] = set()
        self._due: dict[Child, float] = {}
        self._fenced: set[Child] = set()
        self._kill_at: float | None = None
        self._code = ExitCode.DONE

    def run(self) -> ExitCode:
        """Start all, run until none is left, and return the most severe final exit code."""
        with self._signals_as_events():
            for child in self._children:
                self._handle_pending()
                if self._is_stopping:
                    break
                self._start(child)
            while self._running or self._due:
                self._wait_for_event()
        return self._code

    @property
    def _is_stopping(self) -> bool:
        return self._kill_at is not None

    def _handle_pending(self) -> None:
        while not self._events.empty():
            self._handle(self._events.get())

    def _wait_for_event(self) -> None:
        try:
            event = self._events.get(timeout=self._seconds_to_next_due())
        except Empty:
            self._run_due()
        else:
            self._handle(event)

    def _handle(self, event: signal.Signals | tuple[Child, int]) -> None:
        if isinstance(event, signal.Signals):
            self._on_signal(event)
        else:
            self._on_exit(*event)

    def _seconds_to_next_due(self) -> float | None:
        times = [*self._due.values(), *([] if self._kill_at is None else [self._kill_at])]
        return max(min(times) - time.monotonic(), 0.0) if times else None

    def _run_due(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill()
        for child in [child for child, due in self._due.items() if now >= due]:
            del self._due[child]
            self._on_restart(child.name)
            self._start(child)

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            _LOG.error("worker.not_launched", worker=child.name, detail=str(error))
            self._restart_or_stop(child, int(ExitCode.UNEXPECTED), uptime_seconds=0.0)
            return
        self._running.add(child)
        self._fenced.discard(child)
        _LOG.info("worker.launched", worker=child.name, process_id=child.process_id)

    def _on_signal(self, number: signal.Signals) -> None:
        """Stop all workers; at the second signal kill them, which loses nothing."""
        _LOG.info("signal.received", signal=number.name)
        if not self._is_stopping:
            self._stop()
        else:
            self._kill()

    def _stop(self) -> None:
        self._due.clear()
        self._kill_at = time.monotonic() + KILL_AFTER_SECONDS
        for child in self._running:
            child.send(signal.SIGTERM)

    def _kill(self) -> None:
        self._kill_at = time.monotonic() + KILL_AFTER_SECONDS
        for child in self._running:
            child.send(signal.SIGKILL)

    def _on_exit(self, child: Child, returncode: int) -> None:
        self._running.discard(child)
        code = code_of(returncode)
        if self._is_stopping:
            if returncode not in _EXPECTED_SIGNALS:
                self._code = more_severe(self._code, code)
        elif not (self._is_done_at_zero and code is ExitCode.DONE):
            self._restart_or_stop(child, returncode, uptime_seconds=child.uptime_seconds)

    def _restart_or_stop(self, child: Child, returncode: int, *, uptime_seconds: float) -> None:
        code = code_of(returncode)
        seconds = self._restarts[child].delay_after(code, uptime_seconds)
        facts = {"worker": child.name, "exit_code": returncode, "uptime_seconds": round(uptime_seconds, 3)}
        if seconds is not None:
            _LOG.warning("worker.ended", restart_in_seconds=seconds, **facts)
            self._due[child] = time.monotonic() + seconds
            if code is ExitCode.FATAL_KAFKA_ERROR:
                self._fenced.add(child)
        # A fenced worker waits for its instance id while others run. If none does, the supervisor stops with that code.
        if seconds is not None and (self._running or self._due.keys() - self._fenced):
            return
        # A worker that keeps exiting with 0 without having been told to is as bad as one that crashes.
        self._code = more_severe(self._code, code if code is not ExitCode.DONE else ExitCode.UNEXPECTED)
        _LOG.error("worker.given_up", reason=_reason_to_give_up(code), **facts)
        self._stop()

    @contextmanager
    def _signals_as_events(self) -> Iterator[None]:
        before = {
            number: signal.signal(number, lambda received, _frame: self._events.put(signal.Signals(received)))
            for number in STOPS
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _reason_to_give_up(code: ExitCode) -> str:
    known = {
        ExitCode.USAGE: "a setting is wrong",
        ExitCode.FATAL_KAFKA_ERROR: "another instance fenced it, or Kafka failed fatally",
        ExitCode.TOO_MANY_BAD_RECORDS: "too many records are bad",
        ExitCode.CONTRADICTORY: "offsets, dedupe state and clicks contradict each other",
    }
    return known.get(code, "it keeps exiting soon after its start")
