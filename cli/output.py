"""Output of commands: lines and messages for people, one JSON object per line for programs."""

import json
import sys
from typing import Any, TextIO

from runtime.terminal.text import printable, printable_lines


def say(line: str = "") -> None:
    """Write one line to standard output and flush."""
    _write(sys.stdout, printable(line))


def complain(message: str) -> None:
    """Write a message to standard error; it may have several lines."""
    _write(sys.stderr, printable_lines(message))


def say_json(value: Any) -> None:
    """Write one value in one line of ASCII, which cannot control a terminal and needs no encoding."""
    _write(sys.stdout, json.dumps(value))


def _write(stream: TextIO, text: str) -> None:
    stream.write(f"{text}\n")
    stream.flush()
