"""A sandbox that a script has escaped from: does one forbidden thing after the lock, and says `escaped` if it can."""

import ctypes
import mmap
import os
import signal
import socket
import sys
from collections.abc import Callable

from scripts.sandbox.child import prepare
from scripts.sandbox.jail import lock


def make_code() -> None:
    """Map memory that is writable and executable."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def trace() -> None:
    """Look into the parent."""
    if ctypes.CDLL(None, use_errno=True).ptrace(16, os.getppid(), 0, 0) < 0:
        raise PermissionError


DEEDS: dict[str, Callable[[], object]] = {
    "open": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "create": lambda: os.open("/tmp/escaped", os.O_WRONLY | os.O_CREAT),  # noqa: S108 - it must not be made
    "list": lambda: os.scandir("/"),
    "socket": socket.socket,
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606 - it must not start
    "kill": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "executable memory": make_code,
    "trace": trace,
    "environment": lambda: os.environ["PATH"],
}


def main() -> None:
    """Prepare and lock as the real process does, then do the deed."""
    prepare(None)
    deed = DEEDS[sys.argv[1]]
    lock()
    try:
        deed()
    except (OSError, KeyError):
        os._exit(0)
    os.write(1, b"escaped")
    os._exit(0)


if __name__ == "__main__":
    main()
