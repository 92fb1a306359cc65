"""Log lines: structlog to standard error, as JSON unless somebody watches.

Events are `noun.past_participle` with key-value fields. Lines of the Kafka library and of other libraries come the
same way. Fields that could tell who clicked are withheld, whoever puts them there.
"""

import logging
import re
from collections.abc import MutableMapping
from io import StringIO
from typing import Any, TextIO, cast

import structlog
from structlog.typing import ExcInfo, Processor

from consumer.config.settings import LogFormat, LogLevel
from consumer.monitoring.log_stream import LogStream
from consumer.monitoring.repeats import REPEAT_SECONDS
from consumer.terminal.streams import takes_colors
from consumer.terminal.text import printable, printable_lines

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
    client_library: LogLevel | None = LogLevel.WARNING,
    stream: TextIO | None = None,
    instance: str | None = None,
) -> None:
    """Send every log line to the stream (default: standard error); each names the instance, where one is given.

    `client_library` is the level from which lines of the Kafka library are shown. None, for a command whose own error
    says that the broker is away, leaves them out unless the level is debug.
    """
    log = LogStream()
    stream = stream or cast(TextIO, log)
    chosen = chosen_format(log_format, stream)
    structlog.configure(
        processors=[_naming(instance), _telling_losses(log), *_processors(chosen, colors=takes_colors(stream))],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(level, client_library)


def chosen_format(log_format: LogFormat | None, stream: TextIO | None = None) -> LogFormat:
    """Return the format that is asked for or, where none is, JSON unless someone watches the stream."""
    stream = stream or cast(TextIO, LogStream())
    return log_format or (LogFormat.CONSOLE if stream.isatty() else LogFormat.JSON)


def withhold_personal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of personal fields; a structlog processor."""
    for name in PERSONAL & event.keys():
        event[name] = WITHHELD
    return event


def make_printable(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what could steer a terminal; a structlog processor. What is no text is shown by its escaped `repr`."""
    for name, value in event.items():
        if isinstance(value, str):
            # Stacks of threads have several lines, by the field that the console shows so.
            event[name] = printable_lines(value) if name == "stack" else printable(value)
    return event


class StructlogHandler(logging.Handler):
    """Passes lines of the standard library's loggers on to structlog, as the event `library.reported`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line; what it says stays as the library put it."""
        log = structlog.get_logger()
        log.log(record.levelno, "library.reported", library=record.name, text=record.getMessage())


class RepeatFilter(logging.Filter):
    """Lets a line pass once in half a minute: a library whose broker is away says so many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the line is new; lines that differ in nothing but digits count as the same."""
        text = re.sub(r"\d+", "0", record.getMessage())
        if record.created - self._last.get(text, 0.0) < REPEAT_SECONDS:
            return False
        self._last = {known: time for known, time in self._last.items() if record.created - time < REPEAT_SECONDS}
        self._last[text] = record.created
        return True


def _naming(instance: str | None) -> Processor:
    """Return what names the instance in each line: workers of one supervisor write to the same place."""

    def name_instance(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if instance is not None:
            event.setdefault("instance", instance)
        return event

    return name_instance


def _telling_losses(log: LogStream) -> Processor:
    """Return what tells in a line how many before it were lost."""

    def tell_losses(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if log.lost_lines:
            event["log_lines_lost"] = log.lost_lines
        return event

    return tell_losses


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
    """Write a traceback without local variables: those hold records."""
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
