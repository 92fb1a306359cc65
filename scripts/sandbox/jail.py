"""The second wall: what the process of the sandbox may still do once it is locked, should a script escape the first.

Landlock takes away files and network, seccomp all system calls but those that running a script needs, resource limits
the rest. Linux alone has these; elsewhere, and where a kernel or container forbids them, `standing_walls` says so.
"""

import ctypes
import errno
import os
import platform
import resource
import struct
from dataclasses import dataclass
from pathlib import Path

_DATA_BYTES = 1 << 30
_DESCRIPTORS = 8

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SIGKILL = 9
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF, _LANDLOCK_VERSION = 444, 446, 1
_TCP, _SINCE_TCP = 0b11, 4
_SCOPES, _SINCE_SCOPES = 0b11, 6
"""Signals and abstract sockets of other processes."""

_AUDIT_ARCH_X86_64 = 0xC000_003E
_X32 = 0x4000_0000
_RET_KILL_PROCESS, _RET_ALLOW = 0x8000_0000, 0x7FFF_0000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_OR_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _THIRD_ARGUMENT_AT = 0, 4, 32
_PROT_EXEC = 4

# Of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
_ALLOWED = {
    "read": 0, "write": 1, "close": 3, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
    "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28, "getpid": 39, "exit": 60, "sigaltstack": 131,
    "gettid": 186, "futex": 202, "restart_syscall": 219, "clock_gettime": 228, "exit_group": 231, "getrandom": 318,
    "rseq": 334,
}  # fmt: skip
_ALLOWED_UNLESS_EXECUTABLE = {"mmap": 9, "mprotect": 10}
"""Their third argument is the protection: a locked process makes no memory executable."""


@dataclass(frozen=True, slots=True)
class Walls:
    """The walls that stand. `landlock` is the version of its interface, 0 if the kernel has none."""

    landlock: int
    seccomp: bool

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of those that do not."""
        return tuple(name for name, stands in (("Landlock", self.landlock), ("seccomp", self.seccomp)) if not stands)


def standing_walls() -> Walls:
    """Return the walls that this machine can put up, without putting them up."""
    if platform.system() != "Linux":
        return Walls(0, seccomp=False)
    libc = _libc()
    landlock = max(libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION), 0)
    # With a null filter the kernel answers EFAULT if it would read one, and EINVAL if it knows none.
    libc.prctl(_PR_SET_SECCOMP, 2, None, 0, 0)
    return Walls(landlock, seccomp=platform.machine() == "x86_64" and ctypes.get_errno() == errno.EFAULT)


def lock() -> Walls:
    """Put up every wall that stands here, around this process and for good.

    Raises OSError if one falls over, and RuntimeError if there is another thread: the walls would not hold it.
    """
    walls = standing_walls()
    if platform.system() == "Linux" and len([*Path("/proc/self/task").iterdir()]) > 1:
        raise RuntimeError("the process has other threads, which would stay outside the walls")
    _limit_resources()
    if platform.system() == "Linux":
        libc = _libc()
        _check(libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0))
        _check(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))
        _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if walls.landlock:
        _restrict_files_and_network(walls.landlock)
    if walls.seccomp:
        _filter_system_calls()
    return walls


def _limit_resources() -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_DATA: _DATA_BYTES,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
    }
    for which, limit in limits.items():
        resource.setrlimit(which, (limit, limit))


def _restrict_files_and_network(version: int) -> None:
    """Handle every right that this version of Landlock knows, and grant none (linux/landlock.h)."""
    files = (1 << 13) - 1 | sum(1 << bit for bit, since in ((13, 2), (14, 3), (15, 5)) if version >= since)
    attributes = struct.pack("<Q", files)
    attributes += struct.pack("<Q", _TCP) if version >= _SINCE_TCP else b""
    attributes += struct.pack("<Q", _SCOPES) if version >= _SINCE_SCOPES else b""
    libc = _libc()
    given = ctypes.c_char_p(attributes), ctypes.c_size_t(len(attributes))
    ruleset = _check(libc.syscall(_LANDLOCK_CREATE_RULESET, *given, 0))
    try:
        _check(libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _filter_system_calls() -> None:
    """Kill the process at any system call that is not allowed."""
    program = b"".join(struct.pack("<HBBI", *each) for each in _filter())
    buffer = ctypes.create_string_buffer(program, len(program))
    given = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _check(_libc().prctl(_PR_SET_SECCOMP, 2, ctypes.byref(given), 0, 0))


def _filter() -> list[tuple[int, int, int, int]]:
    """Return the filter's instructions of classic BPF: code, jump if true, jump if false, operand."""
    kill, allow = (_RETURN, 0, 0, _RET_KILL_PROCESS), (_RETURN, 0, 0, _RET_ALLOW)
    checks = [
        instruction
        for number in _ALLOWED_UNLESS_EXECUTABLE.values()
        for instruction in (
            (_JUMP_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _THIRD_ARGUMENT_AT),
            (_JUMP_ANY_BIT, 0, 1, _PROT_EXEC),
            kill,
            allow,
        )
    ]
    allowed = [step for number in _ALLOWED.values() for step in ((_JUMP_EQUAL, 0, 1, number), allow)]
    return [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH_X86_64),
        kill,
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_GREATER_OR_EQUAL, 0, 1, _X32),
        kill,
        *checks,
        *allowed,
        kill,
    ]


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
