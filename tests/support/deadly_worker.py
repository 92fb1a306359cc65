"""A worker that dies of some records, or stalls: `python -m tests.support.deadly_worker run ACT`.

ACT is what happens when it decides a value that holds the mark of `tests.deadly_record`: `kill`, as the kernel does
when memory is short; `segfault`; `raise`, an unexpected error; `stall` for some seconds, as at a lock; or
`freeze`, as code in C that keeps Python's lock. It counts as stalled after a short while.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import cache
from threading import Event
from typing import Any, cast

from consumer.app.worker import run_worker
from runtime.config.environment import load_settings
from runtime.monitoring.logs import configure_logs
from runtime.ports import ConsumerRecord, TransactionalConsumer
from tests.deadly_record import with_deadly, with_stalling
from tests.support.patience import stretched

STALLED_AFTER_SECONDS = 3.0
"""Of an idle machine: on a busy one even a loop that does not stall takes longer."""
MAX_STALLED_AFTER_SECONDS = 12.0


class DeadlyStream:
    """Hands out the marked records as deadly ones, and is the stream of the worker in everything else."""

    def __init__(self, stream: TransactionalConsumer, act: Callable[[], None]) -> None:
        self._stream = stream
        self._act = act
        self._with_marked = with_stalling if act in SURVIVED else with_deadly

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        return self._with_marked(self._stream.consume(limit, timeout_seconds), self._act)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@cache
def stalled_after_seconds() -> float:
    """Return the limit of this process: the same for the watchdog and for a stall, however the load changes."""
    return min(stretched(STALLED_AFTER_SECONDS), MAX_STALLED_AFTER_SECONDS)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def segfault() -> None:
    ctypes.string_at(0)


def fail() -> None:
    raise RuntimeError("the decoder has a bug")


def stall() -> None:
    Event().wait(2 * stalled_after_seconds())


def freeze() -> None:
    ctypes.PyDLL(None).sleep(round(2 * stalled_after_seconds()))


SURVIVED = (stall, freeze)
ACTS = {"kill": kill, "segfault": segfault, "raise": fail, "stall": stall, "freeze": freeze}


def main(act: str) -> None:
    """Run `link-actions run`, and die as specified."""
    settings = load_settings(os.environ)
    configure_logs(settings.log_level, settings.log_format)
    run_worker(
        settings,
        drain=False,
        wrap_consumer=lambda stream: cast(TransactionalConsumer, DeadlyStream(stream, ACTS[act])),
        stalled_after_seconds=stalled_after_seconds(),
    )


if __name__ == "__main__":
    main(sys.argv[2])
