"""The host's side of the guest: its imports, which give it nothing but the click's time and seeded chance."""

import hashlib
import struct
from pathlib import Path
from typing import Any, cast

import wasmtime

from scripts.sandbox.guest import load_guest, open_engine

MEMORY_BYTES = 16 << 20
_TABLE_ELEMENTS = 20_000
_WASI = "wasi_snapshot_preview1"
_BAD_DESCRIPTOR = 8
"""WASI's errno `badf`: the guest has no file."""


class Host:
    """Makes instances of the guest. `cache` is the folder of its translation; see `load_guest`."""

    def __init__(self, cache: Path | None = None) -> None:
        self._engine = open_engine()
        self._module = load_guest(self._engine, cache)
        self._linker = wasmtime.Linker(self._engine)
        self._seed = b""
        self._draws = 0
        self._now_ns = 0
        for each in self._module.imports:
            name, type_ = each.name or "", cast("wasmtime.FuncType", each.type)  # the guest imports functions alone
            self._linker.define_func(each.module, name, type_, self._function(each.module, name), access_caller=True)

    def begin(self, *, seed: str, now_ms: int) -> None:
        """Set time and chance, before an instance is made or run."""
        self._seed, self._draws, self._now_ns = seed.encode(), 0, now_ms * 1_000_000

    def instantiate(self, fuel: int) -> tuple[wasmtime.Store, Any]:
        """Return a new instance's store, with its limits and this fuel, and its exports."""
        store = wasmtime.Store(self._engine)
        store.set_limits(memory_size=MEMORY_BYTES, table_elements=_TABLE_ELEMENTS, instances=1, tables=1, memories=1)
        store.set_fuel(fuel)
        exports = self._linker.instantiate(store, self._module).exports(store)
        return store, exports

    def _function(self, module: str, name: str) -> Any:
        """Return what stands for an import; what is not needed fails or does nothing."""
        functions = {
            (_WASI, "clock_time_get"): self._clock_time_get,
            (_WASI, "random_get"): self._random_get,
            (_WASI, "environ_sizes_get"): _environ_sizes_get,
            (_WASI, "proc_exit"): _proc_exit,
        }
        known = functions.get((module, name))
        if known is not None:
            return known
        status = _BAD_DESCRIPTOR if name.startswith("fd_") else 0
        return lambda _caller, *_arguments: status

    def _clock_time_get(self, caller: wasmtime.Caller, _clock: int, _precision: int, at: int) -> int:
        _memory(caller).write(caller, struct.pack("<q", self._now_ns), at)
        return 0

    def _random_get(self, caller: wasmtime.Caller, at: int, size: int) -> int:
        drawn = hashlib.shake_256(self._seed + struct.pack("<q", self._draws)).digest(size)
        self._draws += 1
        _memory(caller).write(caller, drawn, at)
        return 0


def _environ_sizes_get(caller: wasmtime.Caller, count_at: int, size_at: int) -> int:
    for at in (count_at, size_at):
        _memory(caller).write(caller, bytes(4), at)
    return 0


def _proc_exit(_caller: wasmtime.Caller, status: int) -> None:
    raise RuntimeError(f"the guest has ended with {status}")


def _memory(caller: wasmtime.Caller) -> Any:
    return caller["memory"]
