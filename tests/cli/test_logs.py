import json
import logging
from io import StringIO
from typing import Any

import pytest
import structlog

from runtime.config.settings import LogFormat, LogLevel
from runtime.monitoring.logs import CLIENT_LIBRARY, WITHHELD, RepeatFilter, configure_logs


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def lines(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_is_a_json_object_with_event_level_and_time() -> None:
    stream = StringIO()
    configure_logs(LogLevel.INFO, None, stream=stream)
    structlog.get_logger().info("worker.started", partitions=3)
    (line,) = lines(stream)

    assert (line["event"], line["level"], line["partitions"]) == ("worker.started", "info", 3)
    assert line["timestamp"].endswith("Z")


def test_terminal_gets_text_unless_json_is_requested() -> None:
    stream = Terminal()
    configure_logs(LogLevel.INFO, None, stream=stream)
    structlog.get_logger().info("worker.started")
    asked = Terminal()
    configure_logs(LogLevel.INFO, LogFormat.JSON, stream=asked)
    structlog.get_logger().info("worker.started")

    assert not stream.getvalue().startswith("{")
    assert lines(asked)


def test_lines_below_the_level_are_left_out() -> None:
    stream = StringIO()
    configure_logs(LogLevel.WARNING, LogFormat.JSON, stream=stream)
    structlog.get_logger().info("worker.started")

    assert stream.getvalue() == ""


def test_personal_data_is_withheld() -> None:
    stream = StringIO()
    configure_logs(LogLevel.INFO, LogFormat.JSON, stream=stream)
    structlog.get_logger().info("click.refused", recipient_id="r-1", key=b"acme/r-1", offset=7)
    (line,) = lines(stream)

    assert line["recipient_id"] == line["key"] == WITHHELD
    assert line["offset"] == 7


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_a_traceback_shows_no_local_variables(log_format: LogFormat) -> None:
    stream = StringIO()
    configure_logs(LogLevel.INFO, log_format, stream=stream)

    def fail(recipient: str) -> None:
        raise RuntimeError("broken" if recipient else "")

    someone = "somebody-known"
    try:
        fail(someone)
    except RuntimeError:
        structlog.get_logger().exception("worker.failed")

    assert "RuntimeError: broken" in stream.getvalue()
    assert someone not in stream.getvalue()


def test_lines_of_librdkafka_have_the_same_format() -> None:
    stream = StringIO()
    configure_logs(LogLevel.INFO, LogFormat.JSON, stream=stream)
    logging.getLogger(CLIENT_LIBRARY).warning("%s broke", "connection")
    (line,) = lines(stream)

    assert (line["event"], line["level"], line["text"]) == ("library.reported", "warning", "connection broke")


def test_command_that_reports_the_error_silences_librdkafka() -> None:
    stream = StringIO()
    configure_logs(LogLevel.INFO, LogFormat.JSON, client_library=None, stream=stream)
    logging.getLogger(CLIENT_LIBRARY).error("connection broke")

    assert stream.getvalue() == ""


def test_repeated_library_line_is_logged_once_per_30_seconds() -> None:
    repeats = RepeatFilter()

    def passes(text: str, *, at: float) -> bool:
        record = logging.makeLogRecord({"msg": text, "created": at})
        return bool(repeats.filter(record))

    assert passes("broker 1 is away after 5 ms", at=1000.0)
    assert not passes("broker 1 is away after 7 ms", at=1001.0)
    assert passes("broker 1 is back", at=1002.0)
    assert passes("broker 1 is away after 9 ms", at=1030.5)


def test_log_cannot_control_the_terminal() -> None:
    stream = Terminal()
    configure_logs(LogLevel.INFO, None, stream=stream)
    try:
        raise ValueError("\x1b[2J\x9b2J")
    except ValueError:
        structlog.get_logger().exception("worker.failed\x1b[2J", reason="\x1b[2J", other=["\u202e"])
    text = stream.getvalue()

    assert "\x1b[2J" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert r"worker.failed\x1b[2J" in text
    assert r"ValueError: \x1b[2J\x9b2J" in text


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_color_disables_colours(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    coloured, plain = Terminal(), Terminal()
    configure_logs(LogLevel.INFO, None, stream=coloured)
    structlog.get_logger().info("worker.started", partitions=3)
    monkeypatch.setenv(name, value)
    configure_logs(LogLevel.INFO, None, stream=plain)
    structlog.get_logger().info("worker.started", partitions=3)

    assert "\x1b[" in coloured.getvalue()
    assert "\x1b[" not in plain.getvalue()
    assert "worker.started" in plain.getvalue()
