"""One script in an instance of the guest: compiled once, with its memory laid back before each run.

A run can therefore leave nothing behind. An instance whose run failed, or whose memory has grown, is thrown away.
"""

import ctypes
import hashlib
import json
import struct
from importlib.resources import files
from typing import Any

import wasmtime
from wasmtime import TrapCode

from scripts.sandbox.failures import syntax_failure, thrown_failure
from scripts.sandbox.host import MEMORY_BYTES, Host
from scripts.sandbox.run import (
    MAX_FUEL,
    MAX_INPUT_BYTES,
    MAX_OUTPUT_BYTES,
    MAX_SOURCE_BYTES,
    FailureReason,
    Outcome,
    ScriptFailure,
    ScriptResult,
    ScriptRun,
)

PREFIX = (
    "'use strict';const{custId,linkId,shipmentId,linkUrl,linkHits,click,parameters}=__names,emit=__emit;"
    "let returnUrl=linkUrl;__at_end(()=>returnUrl);"
)
"""Comes before the source, on its first line."""
_PRELUDE = (files("scripts.sandbox") / "prelude.js").read_text(encoding="utf-8")
_INPUT_BYTES = 8_192
"""Room for the code of a run, in the image of the memory; longer code gets room of its own."""
_STACK_BYTES = 192 << 10
"""QuickJS's own limit, below that of the WebAssembly stack."""
_HEAP_BYTES = MEMORY_BYTES - (1 << 20)
_ANSWER_BYTES = 4 * MAX_OUTPUT_BYTES
"""Effects, log and returnUrl, whose JSON may have several bytes for a character."""
_OK, _THROWN, _OUT_OF_MEMORY = 0, 1, 2
_NO_MEMORY = ("InternalError", "out of memory", "")
_REASONS: dict[TrapCode | None, FailureReason] = {
    TrapCode.OUT_OF_FUEL: FailureReason.OUT_OF_FUEL,
    TrapCode.STACK_OVERFLOW: FailureReason.STACK,
}


class CannotCompile(Exception):
    """The source is no script; `failure` says why."""

    def __init__(self, failure: ScriptFailure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class Instance:
    """A script that is ready to run. Raises CannotCompile."""

    def __init__(self, host: Host, source: str) -> None:
        if len(source.encode()) > MAX_SOURCE_BYTES:
            raise CannotCompile(ScriptFailure(FailureReason.SYNTAX, f"it is larger than {MAX_SOURCE_BYTES} bytes"))
        self._host = host
        self._source = source
        self._prepare()

    def run(self, run: ScriptRun) -> Outcome:
        """Run the script once with the fuel, time and chance of this run."""
        text = json.dumps({"names": run.names, "seed": _numbers(run.seed)})
        code = f"__run({json.dumps(text)})".encode()
        if len(code) > MAX_INPUT_BYTES:
            return ScriptFailure(FailureReason.OUTPUT_TOO_LARGE, "its input is too large")
        self._lay_back()
        self._store.set_fuel(run.fuel)
        self._host.begin(seed=run.seed, now_ms=run.clicked_at_ms)
        try:
            outcome = self._outcome(self._evaluate(code), run.fuel)
        except (wasmtime.Trap, wasmtime.WasmtimeError, _Thrown) as error:
            outcome = self._failure(error, fuel=run.fuel)
        if isinstance(outcome, ScriptFailure) or self._memory.data_len(self._store) != self._size:
            self._replace()
        return outcome

    def close(self) -> None:
        """Free the instance's memory now."""
        self._store.close()

    def _prepare(self) -> None:
        """Make the instance, compile the script, and keep an image of the memory."""
        self._host.begin(seed="", now_ms=0)
        self._store, exports = self._host.instantiate(MAX_FUEL)
        self._exports, self._memory = exports, exports["memory"]
        self._pointer = exports["__stack_pointer"]
        try:
            exports["set_max_stack_size"](self._store, _STACK_BYTES)
            exports["set_memory_limit"](self._store, _HEAP_BYTES)
            self._input = exports["qjs_alloc"](self._store, _INPUT_BYTES)
            self._handle = exports["qjs_alloc"](self._store, 4)
            self._evaluate(_PRELUDE.encode())
            self._evaluate(f"__compile({json.dumps(PREFIX + self._source, ensure_ascii=False)})".encode())
        except (wasmtime.Trap, wasmtime.WasmtimeError, _Thrown) as error:
            failure = self._failure(error, fuel=MAX_FUEL, is_compiling=True)
            self._store.close()
            raise CannotCompile(failure) from None
        self._size = self._memory.data_len(self._store)
        self._base = self._address()
        self._image = ctypes.create_string_buffer(ctypes.string_at(self._base, self._size), self._size)
        self._top = self._pointer.value(self._store)

    def _replace(self) -> None:
        self._store.close()
        self._prepare()

    def _lay_back(self) -> None:
        ctypes.memmove(self._base, self._image, self._size)
        self._pointer.set_value(self._store, self._top)

    def _evaluate(self, code: bytes) -> int:
        """Evaluate code and return the handle of its value. Raises _Thrown, and what wasmtime raises."""
        at = self._input if len(code) <= _INPUT_BYTES else self._exports["qjs_alloc"](self._store, len(code))
        if not at:
            raise _Thrown(_OUT_OF_MEMORY)
        self._memory.write(self._store, code, at)
        status = self._exports["eval_code"](self._store, at, len(code), self._handle)
        if at != self._input:
            self._exports["qjs_free"](self._store, at, len(code))
        if status != _OK:
            raise _Thrown(status)
        return self._read_handle()

    def _outcome(self, handle: int, fuel: int) -> Outcome:
        answer: dict[str, Any] = json.loads(self._text(handle))
        used, log = fuel - self._store.get_fuel(), answer["log"]
        if answer["problem"] is not None:
            return ScriptFailure(FailureReason.OUTPUT_TOO_LARGE, answer["problem"], log=log, fuel_used=used)
        if answer["thrown"] is not None:
            return thrown_failure(answer["thrown"], prefix=len(PREFIX), log=log, fuel_used=used)
        return ScriptResult(tuple(answer["effects"]), answer["returnUrl"], log, used)

    def _failure(self, error: Exception, *, fuel: int, is_compiling: bool = False) -> ScriptFailure:
        used = fuel - self._store.get_fuel()
        if isinstance(error, wasmtime.Trap):
            reason = _REASONS.get(error.trap_code, FailureReason.OUT_OF_MEMORY)
            return ScriptFailure(reason, fuel_used=used)
        if isinstance(error, _Thrown):
            self._store.set_fuel(MAX_FUEL)  # to read the error
            described = self._thrown() if error.status == _THROWN else _NO_MEMORY
            if is_compiling:
                return syntax_failure(described, prefix=len(PREFIX), source=self._source, fuel_used=used)
            return thrown_failure(described, prefix=len(PREFIX), fuel_used=used)
        reason = FailureReason.OUT_OF_FUEL if "fuel" in str(error) else FailureReason.OUT_OF_MEMORY
        return ScriptFailure(reason, fuel_used=used)

    def _thrown(self) -> tuple[str, str, str]:
        """Return name, message and stack of the error that was thrown last."""
        try:
            self._exports["last_exception"](self._store, self._handle)
            error = self._read_handle()
            name, message, stack = (self._property(error, each) for each in (b"name", b"message", b"stack"))
        except (wasmtime.Trap, wasmtime.WasmtimeError):
            return _NO_MEMORY
        return name, message, stack

    def _property(self, handle: int, name: bytes) -> str:
        self._memory.write(self._store, name, self._input)
        found = self._exports["get_prop"](self._store, handle, self._input, len(name), self._handle)
        return "" if found != _OK else self._text(self._read_handle())

    def _text(self, handle: int) -> str:
        if self._exports["get_string"](self._store, handle) != _OK:
            return ""
        size = self._exports["qjs_last_len"](self._store)
        at = self._exports["qjs_last_ptr"](self._store)
        if size > _ANSWER_BYTES:
            raise wasmtime.WasmtimeError("the answer is too large")
        return bytes(self._memory.read(self._store, at, at + size)).decode("utf-8", "replace")

    def _read_handle(self) -> int:
        found: tuple[int] = struct.unpack("<i", self._memory.read(self._store, self._handle, self._handle + 4))
        return found[0]

    def _address(self) -> int:
        return ctypes.cast(self._memory.data_ptr(self._store), ctypes.c_void_p).value or 0


class _Thrown(Exception):
    """An evaluation has ended with an error of JavaScript, or with a status that is none."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _numbers(seed: str) -> list[int]:
    """Return four numbers of 32 bits, not all 0, as the generator of `Math.random` needs them."""
    return list(struct.unpack("<4i", hashlib.blake2b(seed.encode(), digest_size=16).digest()))
