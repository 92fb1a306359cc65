"""A worker that dies of some records: `python -m tests.support.deadly_worker run ACT`.

ACT is how it dies of a value that holds the mark of `tests.deadly_record`: `kill`, as the kernel does when memory is
short; `segfault`; or `raise`, an error that nobody foresaw.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

from consumer.monitoring.logs import configure_logs
from consumer.settings import load_settings
from consumer.streams import ClickStream, Record
from consumer.worker import run_worker
from tests.deadly_record import with_deadly


class DeadlyStream:
    """Hands out the marked records as deadly ones, and is the stream of the worker in everything else."""

    def __init__(self, stream: ClickStream, die: Callable[[], None]) -> None:
        self._stream = stream
        self._die = die

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[Record]:
        return with_deadly(self._stream.consume(limit, timeout_seconds), self._die)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def segfault() -> None:
    ctypes.string_at(0)


def fail() -> None:
    raise RuntimeError("the decoder has a bug")


ACTS = {"kill": kill, "segfault": segfault, "raise": fail}


def main(act: str) -> None:
    """Do what `link-actions run` does, and die as told."""
    settings = load_settings(os.environ)
    configure_logs(settings.log_level, settings.log_format)
    run_worker(settings, drain=False, wrap_stream=lambda stream: cast(ClickStream, DeadlyStream(stream, ACTS[act])))


if __name__ == "__main__":
    main(sys.argv[2])
