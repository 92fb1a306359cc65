"""Forwards a worker's standard error to the supervisor's, as lines of JSON.

A worker logs JSON itself. Other output (a crash in C, a library that prints, the stacks of a loop that stalls while it
holds the GIL) is wrapped in a JSON line.
"""

import json
from typing import IO

import structlog

from runtime.monitoring.log_stream import LogStream


def forward_log(lines: IO[bytes], instance: str, log: LogStream) -> None:
    """Forward all lines until the worker, and every process that inherited its standard error, has ended."""
    for line in lines:
        text, lost = line.decode("utf-8", "replace"), log.lost_lines
        if _is_log_line(text):
            log.write(text)
            if lost and not log.lost_lines:
                structlog.get_logger().warning("log.resumed", instance=instance, log_lines_lost=lost)
        elif text.strip():
            structlog.get_logger().error("stderr.written", instance=instance, text=text.rstrip())


def _is_log_line(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
