"""Configures structlog: to standard error, as JSON unless it is a terminal.

Events are `noun.past_participle` with key-value fields. Lines of the Kafka library and of other libraries take the
same way. Fields that could identify a person are withheld from all of them.
"""

import logging
import re
from collections.abc import MutableMapping
from io import StringIO
from typing import Any, TextIO, cast

import structlog
from structlog.typing import ExcInfo, Processor

from runtime.config.settings import LogFormat, LogLevel
from runtime.monitoring.log_stream import LogStream
from runtime.monitoring.log_throttle import REPEAT_SECONDS
from runtime.terminal.streams import takes_colors
from runtime.terminal.text import printable, printable_lines

CLIENT_LIBRARY = "link_actions.kafka"
"""Name of the standard logger that the Kafka clients write to."""

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
    client_library: LogLevel | None = LogLevel.WARNING,
    stream: TextIO | None = None,
    instance: str | None = None,
) -> None:
    """Send every log line to the stream (default: standard error), with the instance if one is given.

    `client_library` is the lowest level of the Kafka library's lines that are shown. None leaves them out unless the
    level is debug, for commands whose own error says that the broker is away.
    """
    log = LogStream()
    stream = stream or cast(TextIO, log)
    chosen = chosen_format(log_format, stream)
    structlog.configure(
        processors=[
            _instance_adder(instance),
            _lost_lines_adder(log),
            *_processors(chosen, colors=takes_colors(stream)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(level, client_library)


def chosen_format(log_format: LogFormat | None, stream: TextIO | None = None) -> LogFormat:
    """Return the configured format; if there is none, console for a terminal and JSON otherwise."""
    stream = stream or cast(TextIO, LogStream())
    return log_format or (LogFormat.CONSOLE if stream.isatty() else LogFormat.JSON)


def withhold_personal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of personal fields (a structlog processor)."""
    for name in PERSONAL & event.keys():
        event[name] = WITHHELD
    return event


def make_printable(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape control characters (a structlog processor). The console shows other types by their escaped `repr`."""
    for name, value in event.items():
        if isinstance(value, str):
            # The console shows the field `stack` on several lines.
            event[name] = printable_lines(value) if name == "stack" else printable(value)
    return event


class StructlogHandler(logging.Handler):
    """Forwards lines of standard loggers to structlog, as the event `library.reported`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line with the library's own text."""
        log = structlog.get_logger()
        log.log(record.levelno, "library.reported", library=record.name, text=record.getMessage())


class RepeatFilter(logging.Filter):
    """Lets a line pass once in `REPEAT_SECONDS`: a Kafka client logs a lost broker many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line may pass; lines that differ only in digits are the same."""
        text = re.sub(r"\d+", "0", record.getMessage())
        if record.created - self._last.get(text, 0.0) < REPEAT_SECONDS:
            return False
        self._last = {known: time for known, time in self._last.items() if record.created - time < REPEAT_SECONDS}
        self._last[text] = record.created
        return True


def _instance_adder(instance: str | None) -> Processor:
    """Return a processor that adds the instance: the workers of a supervisor share one standard error."""

    def add_instance(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if instance is not None:
            event.setdefault("instance", instance)
        return event

    return add_instance


def _lost_lines_adder(log: LogStream) -> Processor:
    """Return a processor that adds how many lines before this one were lost."""

    def add_lost_lines(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if log.lost_lines:
            event["log_lines_lost"] = log.lost_lines
        return event

    return add_lost_lines


def _processors(log_format: LogFormat, *, colors: bool) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        withhold_personal,
    ]
    if log_format is LogFormat.JSON:
        return [*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=_printable_traceback)
    return [*shared, make_printable, console]


def _printable_traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    """Write a traceback without local variables, which may hold records."""
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    stream.write(printable_lines(text.getvalue()))


def _route_standard_logging(level: LogLevel, client_library: LogLevel | None) -> None:
    handler = StructlogHandler()
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, _number(level)))
    client = logging.getLogger(CLIENT_LIBRARY)
    if client_library is not None:
        client.setLevel(max(_number(client_library), _number(level)))
    else:
        client.setLevel(logging.DEBUG if level is LogLevel.DEBUG else logging.CRITICAL)


def _number(level: LogLevel) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
