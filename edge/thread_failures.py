"""Ends an edge of which a thread has failed: without it, clicks would be answered and never published."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runtime.errors import ExitCode


@contextmanager
def exiting_with_any_thread() -> Iterator[None]:
    """End this process when an exception ends one of its threads, once that is logged; the spool keeps its clicks."""
    log = threading.excepthook

    def end(failed: threading.ExceptHookArgs) -> None:
        log(failed)
        if failed.exc_type is not SystemExit:
            sys.stderr.flush()
            os._exit(ExitCode.UNEXPECTED)

    threading.excepthook = end
    try:
        yield
    finally:
        threading.excepthook = log
