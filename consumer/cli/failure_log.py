"""How a command tells that it has failed: in a sentence, or in a line of the log where it writes one."""

from collections.abc import Mapping

import structlog

from consumer.cli.output import complain
from consumer.config.settings import LogFormat, LogLevel, variable
from consumer.config.values import host_name
from consumer.monitoring.logs import chosen_format, configure_logs

NAME = "link-actions"

LOGGING = frozenset({"run"})
"""Commands whose standard error is a log: where that is JSON, each line is."""


def begin_logging(command: str, environ: Mapping[str, str]) -> None:
    """Log as the environment says, before its settings have been checked: a mistake in one of them is logged, too."""
    if command in LOGGING:
        instance = environ.get(variable("instance_id")) or host_name()
        configure_logs(LogLevel.WARNING, _wanted_format(environ), instance=instance)
    else:
        configure_logs(LogLevel.WARNING, None, client_library=None)


def report_failure(command: str, sentence: str, code: int, environ: Mapping[str, str]) -> None:
    """Say on standard error what went wrong."""
    if command in LOGGING and chosen_format(_wanted_format(environ)) is LogFormat.JSON:
        structlog.get_logger().error("command.failed", command=command, reason=sentence, exit_code=int(code))
    else:
        complain(f"{NAME}: {sentence}")


def _wanted_format(environ: Mapping[str, str]) -> LogFormat | None:
    """Return what the setting asks for; None where it is not set, or is wrong."""
    wanted = environ.get(variable("log_format"), "")
    return LogFormat(wanted) if wanted in set(LogFormat) else None
