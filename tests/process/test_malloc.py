"""The worker's threads share arenas, and freed memory returns to the system."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.process.malloc import ARENAS
from tests.support.patience import stretched

COUNT_ARENAS = """
import ctypes, sys, threading
from runtime.process.malloc import limit_arenas

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fopen.restype = ctypes.c_void_p, ctypes.c_void_p
libc.malloc.argtypes, libc.malloc_info.argtypes = [ctypes.c_size_t], [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
if "limited" in sys.argv:
    limit_arenas()
allocated = threading.Barrier(9)

def work():
    libc.malloc(100_000)
    allocated.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
allocated.wait()
for thread in threads:
    thread.join()
file = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
"""

FREE_A_LOT = """
import ctypes, threading
from runtime.process.malloc import trim

def resident_mib():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
blocks = [libc.malloc(100_000) for _ in range(1_000)]
for block in blocks:
    libc.memset(block, 1, 100_000)
for block in blocks[:-1]:  # the last one pins the end of the heap, so free() returns nothing
    libc.free(block)
before = resident_mib()
trim()
print(before - resident_mib())
"""

FREE_LARGE_BLOCKS = """
import ctypes, sys
from runtime.process.malloc import limit_arenas

def resident_mib():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

def touched(size):
    block = libc.malloc(size)
    libc.memset(block, 1, size)
    return block

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
if "limited" in sys.argv:
    limit_arenas()
libc.free(touched(20_000_000))
large, before = touched(15_000_000), resident_mib()
small = touched(100_000)  # follows the large one if that is in the heap, and pins it
libc.free(large)
print(before - resident_mib())
"""
glibc_only = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="malloc is not glibc's")


@glibc_only
def test_threads_share_two_arenas(tmp_path: Path) -> None:
    assert arenas(tmp_path) > ARENAS
    assert arenas(tmp_path, "limited") == ARENAS


def arenas(folder: Path, *arguments: str) -> int:
    path = folder / "malloc_info"
    subprocess.run([sys.executable, "-c", COUNT_ARENAS, str(path), *arguments], check=True, timeout=stretched(60))
    return path.read_text().count("<heap nr=")


@glibc_only
def test_trim_returns_freed_memory() -> None:
    command = [sys.executable, "-c", FREE_A_LOT]
    mib = float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=stretched(60)).stdout)
    assert mib > 80


@glibc_only
def test_freed_large_block_returns_to_the_system() -> None:
    assert freed_mib() < 1
    assert freed_mib("limited") > 13


def freed_mib(*arguments: str) -> float:
    command = [sys.executable, "-c", FREE_LARGE_BLOCKS, *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=stretched(60)).stdout)
