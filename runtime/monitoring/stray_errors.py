"""Logs the errors that Python itself would print to standard error."""

import logging
import sys
import threading
from typing import Any

import structlog


def log_stray_errors() -> None:
    """Log warnings, exceptions that end a thread, and unraisable ones, for the whole process."""
    logging.captureWarnings(capture=True)
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_end_of_thread


def _log_unraisable(unraisable: Any) -> None:
    """Log it with the type of the object it happened in, as its `repr` may be personal."""
    where = getattr(unraisable.object, "__qualname__", type(unraisable.object).__name__)
    error = unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback
    structlog.get_logger().error("exception.ignored", where=where, exc_info=error)


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:
        name = ended.thread.name if ended.thread else None
        error = ended.exc_type, ended.exc_value, ended.exc_traceback
        structlog.get_logger().error("thread.failed", thread=name, exc_info=error)
