"""The supervisor: keeps N workers running until it is told to leave, all is drained, or one must not go on.

Whatever happens comes as an event through one queue, so that signals, ends of workers and waiting for the next restart
meet in one thread. It touches neither Kafka nor state: the workers share the partitions through their group, as they
would on several machines.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue

import structlog

from consumer.errors import ExitCode
from consumer.process.shutdown import STOP_SECONDS, STOPS
from consumer.supervisor.child import Child
from consumer.supervisor.restarts import Restarts, code_of, more_severe

_LOG = structlog.get_logger(__name__)

KILL_AFTER_SECONDS = STOP_SECONDS + 0.5
"""How long workers may take to leave; each ends by itself before that, unless it is frozen."""
_ASKED_TO_END = frozenset((-signal.SIGTERM, -signal.SIGKILL))

Events = SimpleQueue[signal.Signals | tuple[Child, int]]
"""Signals that this process got, and ends of children."""


class Supervisor:
    """Watches children that tell of their ends in `events`.

    `is_done_at_zero` tells that a worker which ends with code 0 has done what it was for.
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
        """Start all, watch them until none is left, and return the heaviest code that one ended with for good."""
        with self._hearing_signals():
            for child in self._children:
                self._take_events()
                if self._is_leaving:
                    break
                self._start(child)
            while self._running or self._due:
                self._await_event()
        return self._code

    @property
    def _is_leaving(self) -> bool:
        return self._kill_at is not None

    def _take_events(self) -> None:
        """Take what has happened by now."""
        while not self._events.empty():
            self._take(self._events.get())

    def _await_event(self) -> None:
        try:
            event = self._events.get(timeout=self._seconds_to_next())
        except Empty:
            self._do_what_is_due()
        else:
            self._take(event)

    def _take(self, event: signal.Signals | tuple[Child, int]) -> None:
        if isinstance(event, signal.Signals):
            self._heed(event)
        else:
            self._take_note(*event)

    def _seconds_to_next(self) -> float | None:
        times = [*self._due.values(), *([] if self._kill_at is None else [self._kill_at])]
        return max(min(times) - time.monotonic(), 0.0) if times else None

    def _do_what_is_due(self) -> None:
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
            self._restart_or_stop(child, int(ExitCode.UNEXPECTED), lived_seconds=0.0)
            return
        self._running.add(child)
        self._fenced.discard(child)
        _LOG.info("worker.launched", worker=child.name, process_id=child.process_id)

    def _heed(self, number: signal.Signals) -> None:
        """Tell all to leave; told again, end them: nothing is lost by it."""
        _LOG.info("signal.received", signal=number.name)
        if not self._is_leaving:
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

    def _take_note(self, child: Child, returncode: int) -> None:
        self._running.discard(child)
        code = code_of(returncode)
        if self._is_leaving:
            if returncode not in _ASKED_TO_END:
                self._code = more_severe(self._code, code)
        elif not (self._is_done_at_zero and code is ExitCode.DONE):
            self._restart_or_stop(child, returncode, lived_seconds=child.lived_seconds)

    def _restart_or_stop(self, child: Child, returncode: int, *, lived_seconds: float) -> None:
        code = code_of(returncode)
        seconds = self._restarts[child].delay_after(code, lived_seconds)
        facts = {"worker": child.name, "exit_code": returncode, "lived_seconds": round(lived_seconds, 3)}
        if seconds is not None:
            _LOG.warning("worker.ended", restart_in_seconds=seconds, **facts)
            self._due[child] = time.monotonic() + seconds
            if code is ExitCode.STREAM_FATAL:
                self._fenced.add(child)
        # Where others work on, it waits until its name is free; where none does, whoever started us must know.
        if seconds is not None and (self._running or self._due.keys() - self._fenced):
            return
        # A worker that keeps ending well without having been told to is no better than one that crashes.
        self._code = more_severe(self._code, code if code is not ExitCode.DONE else ExitCode.UNEXPECTED)
        _LOG.error("worker.given_up", reason=_reason(code), **facts)
        self._stop()

    @contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        before = {
            number: signal.signal(number, lambda received, _frame: self._events.put(signal.Signals(received)))
            for number in STOPS
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _reason(code: ExitCode) -> str:
    known = {
        ExitCode.USAGE: "a setting is wrong",
        ExitCode.STREAM_FATAL: "the stream is fenced or failed for good",
        ExitCode.TOO_MANY_BAD_RECORDS: "too many records are bad",
        ExitCode.CONTRADICTORY: "offsets, memory and clicks do not fit together",
    }
    return known.get(code, "it ends again and again soon after its start")
