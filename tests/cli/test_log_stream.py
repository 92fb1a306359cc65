"""Logging while the reader of standard error is stalled."""

import io
import json
import os
import sys
from collections.abc import Iterator

import pytest
import structlog

from runtime.config.settings import LogFormat, LogLevel
from runtime.monitoring.log_stream import LogStream
from runtime.monitoring.logs import configure_logs


class Pipe:
    """A pipe that replaces standard error after `install`; pytest restores it at the end of the test."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.stream = io.TextIOWrapper(io.FileIO(self.writing, "w", closefd=False), encoding="utf-8")

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stderr", self.stream)

    def fill(self) -> None:
        os.set_blocking(self.writing, False)
        try:
            while os.write(self.writing, b"x"):
                continue
        except BlockingIOError:
            os.set_blocking(self.writing, True)

    def read(self) -> str:
        try:
            return os.read(self.reading, 1 << 20).decode()
        except BlockingIOError:
            return ""

    def close(self) -> None:
        for end in (self.reading, self.writing):
            try:
                os.close(end)
            except OSError:
                continue


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def test_dropped_lines_are_counted_and_reported_later(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe.install(monkeypatch)
    configure_logs(LogLevel.INFO, LogFormat.JSON)
    pipe.fill()
    for number in range(3):
        structlog.get_logger().info("line.lost", number=number)
    pipe.read()
    structlog.get_logger().info("line.read")

    structlog.get_logger().info("line.read")
    first, second = map(json.loads, pipe.read().splitlines())
    assert first["log_lines_lost"] == 3
    assert "log_lines_lost" not in second


def test_truncated_line_ends_before_the_next(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe.install(monkeypatch)
    log = LogStream()
    log.write("a" * 200_000 + "\n")
    assert set(pipe.read()) == {"a"}
    log.write("next\n")

    assert pipe.read() == "\nnext\n"


def test_a_long_line_is_whole(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe.install(monkeypatch)
    text = "é" * 10_000 + "\n"
    LogStream().write(text)

    assert (pipe.read() == text) is True  # otherwise pytest would show both


def test_closed_log_stream_loses_only_lines(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe.install(monkeypatch)
    log = LogStream()
    os.close(pipe.reading)
    assert log.write("x\n") == 2
    pipe.stream.close()
    assert log.write("x\n") == 2
    assert not log.isatty()


def test_lines_are_lost_without_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    log = LogStream()

    assert log.write("x\n") == 2
    assert not log.isatty()
