"""The guest: QuickJS compiled to WebAssembly, as the package quickjs-rs ships it, translated to machine code once.

The translation is kept in a file, since it takes most of a second. Such a file is trusted as much as a program: one
that another user could have written is not loaded.
"""

import hashlib
import os
import tempfile
from contextlib import suppress
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import wasmtime

GUEST_SHA256 = "647ab11ae29cc6d39a6d17d3aa1e7a6a0b5fb9c44b4864475a18bc644f926050"
"""Of the guest in quickjs-rs 0.2.6, QuickJS-ng 0.15. Another guest may need other fuel, or give other results."""
MAX_STACK_BYTES = 1 << 20


class WrongGuest(Exception):
    """The installed guest is not the one that this program was tested with."""


def open_engine() -> wasmtime.Engine:
    """Return an engine in which the same code uses the same fuel and gives the same bytes on every machine."""
    config = wasmtime.Config()
    config.consume_fuel = True
    config.cranelift_nan_canonicalization = True
    config.wasm_threads = False
    config.wasm_relaxed_simd = False
    config.max_wasm_stack = MAX_STACK_BYTES
    config.memory_reservation = 64 << 20
    config.memory_init_cow = True
    config.parallel_compilation = False  # its threads would stay, and a lock covers only the thread that calls it
    return wasmtime.Engine(config)


def load_guest(engine: wasmtime.Engine, cache: Path | None) -> wasmtime.Module:
    """Return the guest, from the file that an earlier call has left in the folder `cache` if it can be used.

    Raises WrongGuest.
    """
    file = None if cache is None else cache / f"quickjs-{version('wasmtime')}-{GUEST_SHA256[:16]}.cwasm"
    if file is not None and _is_ours(file):
        with suppress(wasmtime.WasmtimeError):  # of another processor, or damaged
            return wasmtime.Module.deserialize_file(engine, str(file))
    module = wasmtime.Module(engine, _guest())
    if file is not None:
        with suppress(OSError):  # it is compiled each time then
            _write(file, bytes(module.serialize()))
    return module


def user_cache() -> Path:
    """Return the folder for the translation that this user's commands share (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "link-actions"


def _guest() -> bytes:
    guest = (files("quickjs_rs") / "_guest.wasm").read_bytes()
    found = hashlib.sha256(guest).hexdigest()
    if found != GUEST_SHA256:
        raise WrongGuest(
            f"The package quickjs-rs has another guest (sha256 {found[:16]}…, expected {GUEST_SHA256[:16]}…);"
            " install quickjs-rs 0.2.6"
        )
    return guest


def _is_ours(file: Path) -> bool:
    """Return whether this user alone can have written the file."""
    try:
        states = (file.stat(), file.parent.stat())
    except OSError:
        return False
    return all(state.st_uid in {os.getuid(), 0} and not state.st_mode & 0o022 for state in states)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(descriptor, "wb") as written:
        written.write(content)
    Path(name).replace(file)
