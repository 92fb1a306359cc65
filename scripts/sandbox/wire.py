"""Runs and outcomes on the pipes between the worker and its sandbox process: a length, then JSON."""

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from scripts.sandbox.run import FailureReason, Outcome, ScriptFailure, ScriptResult, ScriptRun

_LENGTH = struct.Struct("<I")
LENGTH_BYTES = _LENGTH.size
READY = b"ready"
"""Sent once by a process that is locked."""


def encode_runs(runs: Sequence[ScriptRun]) -> bytes:
    """Return the message for a batch of runs."""
    return _message([[run.source, run.seed, run.clicked_at_ms, run.names, run.fuel] for run in runs])


def decode_runs(body: bytes) -> list[ScriptRun]:
    """Return the runs of a message without its length."""
    return [ScriptRun(*fields) for fields in json.loads(body)]


def encode_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """Return the message with an outcome for each run, in their order."""
    return _message([[isinstance(each, ScriptResult), asdict(each)] for each in outcomes])


def decode_outcomes(body: bytes) -> list[Outcome]:
    """Return the outcomes of a message without its length. Raises ValueError, KeyError or TypeError for any other."""
    return [_result(fields) if is_result else _failure(fields) for is_result, fields in json.loads(body)]


def read_message(read: Callable[[int], bytes]) -> bytes:
    """Return a message without its length. `read` returns up to so many bytes, none at the end. Raises EOFError."""
    (size,) = _LENGTH.unpack(_read_all(read, LENGTH_BYTES))
    return _read_all(read, size)


def _result(fields: dict[str, Any]) -> ScriptResult:
    return ScriptResult(**{**fields, "effects": tuple(fields["effects"])})


def _failure(fields: dict[str, Any]) -> ScriptFailure:
    return ScriptFailure(**{**fields, "reason": FailureReason(fields["reason"])})


def _message(value: Any) -> bytes:
    body = json.dumps(value, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


def _read_all(read: Callable[[int], bytes], size: int) -> bytes:
    parts, left = [], size
    while left:
        part = read(left)
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
