"""Reports the failure of a command: as a sentence, or as a log event if the command writes a log."""

from collections.abc import Mapping

import structlog

from cli.output import complain
from runtime.config.settings import LogFormat, LogLevel, variable
from runtime.config.values import host_name
from runtime.monitoring.logs import chosen_format, configure_logs

NAME = "link-actions"

LOGGING = frozenset({"run"})
"""Commands whose standard error is a log; if its format is JSON, so is every line."""


def begin_logging(command: str, environ: Mapping[str, str]) -> None:
    """Configure logging from the environment before the settings are checked, so that wrong settings are logged too."""
    if command in LOGGING:
        instance = environ.get(variable("instance_id")) or host_name()
        configure_logs(LogLevel.WARNING, _wanted_format(environ), instance=instance)
    else:
        configure_logs(LogLevel.WARNING, None, client_library=None)


def report_failure(command: str, sentence: str, code: int, environ: Mapping[str, str]) -> None:
    """Report the failure on standard error."""
    if command in LOGGING and chosen_format(_wanted_format(environ)) is LogFormat.JSON:
        structlog.get_logger().error("command.failed", command=command, reason=sentence, exit_code=int(code))
    else:
        complain(f"{NAME}: {sentence}")


def _wanted_format(environ: Mapping[str, str]) -> LogFormat | None:
    """Return the format that the setting names; None if it is not set or wrong."""
    wanted = environ.get(variable("log_format"), "")
    return LogFormat(wanted) if wanted in set(LogFormat) else None
