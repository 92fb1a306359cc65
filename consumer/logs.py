"""Log lines: structlog to standard error, as JSON unless somebody watches.

Events are `noun.past_participle` with key-value fields. Lines of the Kafka library and of other libraries come the
same way. Fields that could tell who clicked are withheld, whoever puts them there.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from consumer.settings import LogFormat, LogLevel

CLIENT_LIBRARY = "link_actions.kafka"
"""Name of the standard library's logger that the Kafka clients write to."""

PERSONAL = frozenset({
    "click_id", "company_id", "email", "key", "network", "payload", "person_id", "recipient_id", "record", "user_agent",
    "value",
})  # fmt: skip
"""Fields that never reach a log."""

WITHHELD = "[withheld]"


def configure_logs(
    level: LogLevel,
    log_format: LogFormat | None,
    *,
    client_library: LogLevel = LogLevel.WARNING,
    stream: TextIO | None = None,
) -> None:
    """Send every log line to the stream (default: standard error).

    `client_library` is the level from which lines of the Kafka library are shown: a command whose own error says
    that the broker is away sets it higher than the worker does.
    """
    stream = stream or sys.stderr
    chosen = log_format or (LogFormat.CONSOLE if stream.isatty() else LogFormat.JSON)
    structlog.configure(
        processors=_processors(chosen, colors=stream.isatty()),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(level, client_library)


def withhold_personal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of personal fields; a structlog processor."""
    for name in PERSONAL & event.keys():
        event[name] = WITHHELD
    return event


class StructlogHandler(logging.Handler):
    """Passes lines of the standard library's loggers on to structlog, as the event `library.reported`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; what it says stays as the library put it."""
        log = structlog.get_logger()
        log.log(record.levelno, "library.reported", library=record.name, text=record.getMessage())


def _processors(log_format: LogFormat, *, colors: bool) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        withhold_personal,
    ]
    if log_format is LogFormat.JSON:
        return [*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # The default formatter shows local variables, and those hold records.
    console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
    return [*shared, console]


def _route_standard_logging(level: LogLevel, client_library: LogLevel) -> None:
    root = logging.getLogger()
    root.handlers = [StructlogHandler()]
    root.setLevel(max(logging.WARNING, _number(level)))
    logging.getLogger(CLIENT_LIBRARY).setLevel(max(_number(client_library), _number(level)))


def _number(level: LogLevel) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
