"""What a worker writes to standard error, passed on to that of the supervisor as lines of JSON.

A worker writes its log as JSON itself. What comes beside that (a crash in C, a library that prints, the stacks of a
loop that stalls while it holds Python's lock) becomes a line of the same form.
"""

import json
from typing import IO

import structlog

from consumer.monitoring.log_stream import LogStream


def pass_on(lines: IO[bytes], instance: str, log: LogStream) -> None:
    """Pass on all lines until the worker, and any process that has its standard error, have ended."""
    for line in lines:
        text, lost = line.decode("utf-8", "replace"), log.lost_lines
        if _is_of_a_log(text):
            log.write(text)
            if lost and not log.lost_lines:
                structlog.get_logger().warning("log.resumed", instance=instance, log_lines_lost=lost)
        elif text.strip():
            structlog.get_logger().error("stderr.written", instance=instance, text=text.rstrip())


def _is_of_a_log(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
