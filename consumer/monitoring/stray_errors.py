"""What Python itself would print to standard error, as lines of the log."""

import logging
import sys
import threading
from typing import Any

import structlog


def log_stray_errors() -> None:
    """Log warnings, exceptions that end a thread, and those that Python can raise nowhere; for the whole process."""
    logging.captureWarnings(capture=True)
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_end_of_thread


def _log_unraisable(unraisable: Any) -> None:
    """Log it; the object in which it happened is named by its type, for what it shows of itself may be personal."""
    where = getattr(unraisable.object, "__qualname__", type(unraisable.object).__name__)
    error = unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback
    structlog.get_logger().error("exception.ignored", where=where, exc_info=error)


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:
        name = ended.thread.name if ended.thread else None
        error = ended.exc_type, ended.exc_value, ended.exc_traceback
        structlog.get_logger().error("thread.failed", thread=name, exc_info=error)
