"""`run` with a JSON log writes only JSON, also on errors."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.app import execute

FIELDS = {"timestamp", "level", "event", "instance"}
ROOT = Path(__file__).parents[2]


def logged(text: str) -> list[dict[str, Any]]:
    """Return the lines, each of which must be JSON with all required fields."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert all(line.keys() >= FIELDS for line in lines), lines
    return lines


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LINK_ACTIONS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LINK_ACTIONS_INSTANCE_ID", "w-1")


Mistake = tuple[Mapping[str, str], list[str], str]

MISTAKES: Mapping[str, Mistake] = {
    "a setting is missing": ({}, ["run"], "LINK_ACTIONS_BOOTSTRAP_SERVERS is not set"),
    "settings are wrong": (
        {"LINK_ACTIONS_WORKERS": "x", "LINK_ACTIONS_BOOTSTRAP_SERVERS": "a:1", "LINK_ACTIONS_HTTP_PORT": "-1"},
        ["run"],
        "2 settings are wrong",
    ),
    "an option is wrong": ({}, ["run", "--workers", "x"], "--workers"),
    "an option is unknown": ({}, ["run", "--no-such"], "--no-such"),
}


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_a_line_of_the_log(
    mistake: Mistake,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings, arguments, words = mistake
    for name, value in ({"LINK_ACTIONS_LOG_FORMAT": "json"} | dict(settings)).items():
        monkeypatch.setenv(name, value)
    assert execute(arguments) == 2

    (line,) = logged(capsys.readouterr().err)
    assert (line["event"], line["level"], line["instance"]) == ("command.failed", "error", "w-1")
    assert line["exit_code"] == 2
    assert words in line["reason"]


@pytest.mark.usefixtures("environ")
def test_a_log_for_people_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINK_ACTIONS_LOG_FORMAT", "console")
    assert execute(["run"]) == 2

    assert capsys.readouterr().err.startswith("link-actions: LINK_ACTIONS_BOOTSTRAP_SERVERS is not set")


STRAY = """
import threading, warnings
from runtime.monitoring.logs import configure_logs
from runtime.monitoring.stray_errors import log_stray_errors
from runtime.config.settings import LogFormat, LogLevel

class Bad:
    def __del__(self):
        raise ValueError("del")

def fail():
    raise RuntimeError("thread")

configure_logs(LogLevel.INFO, LogFormat.JSON, instance="w-1")
log_stray_errors()
warnings.warn("old", DeprecationWarning)
warnings.warn("worn")
Bad()
thread = threading.Thread(target=fail, name="t-1")
thread.start()
thread.join()
"""


def test_output_of_python_itself_is_logged() -> None:
    done = subprocess.run([sys.executable, "-c", STRAY], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = {line["event"]: line for line in logged(done.stderr)}

    assert lines.keys() == {"library.reported", "exception.ignored", "thread.failed"}
    assert "worn" in lines["library.reported"]["text"]
    assert "ValueError: del" in lines["exception.ignored"]["exception"]
    assert "RuntimeError: thread" in lines["thread.failed"]["exception"]
    assert lines["thread.failed"]["thread"] == "t-1"
