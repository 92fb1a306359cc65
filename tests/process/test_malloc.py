"""The worker's threads share their memory, and give back what they do not need any more."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.process.malloc import ARENAS
from tests.support.patience import stretched

COUNT_ARENAS = """
import ctypes, sys, threading
from consumer.process.malloc import limit_arenas

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fopen.restype = ctypes.c_void_p, ctypes.c_void_p
libc.malloc.argtypes, libc.malloc_info.argtypes = [ctypes.c_size_t], [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
if "bound" in sys.argv:
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
page = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, page)
libc.fclose(page)
"""

FREE_A_LOT = """
import ctypes, threading
from consumer.process.malloc import trim

def resident_mib():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
blocks = [libc.malloc(100_000) for _ in range(1_000)]
for block in blocks:
    libc.memset(block, 1, 100_000)
for block in blocks[:-1]:  # the last one keeps the end of the heap in use, so that malloc returns nothing by itself
    libc.free(block)
before = resident_mib()
trim()
print(before - resident_mib())
"""

FREE_LARGE_BLOCKS = """
import ctypes, sys
from consumer.process.malloc import limit_arenas

def resident_mib():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

def touched(size):
    block = libc.malloc(size)
    libc.memset(block, 1, size)
    return block

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
if "bound" in sys.argv:
    limit_arenas()
libc.free(touched(20_000_000))
large, before = touched(15_000_000), resident_mib()
small = touched(100_000)  # lies behind the large one where that is in the heap, and keeps it there
libc.free(large)
print(before - resident_mib())
"""
glibc_only = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="malloc is not glibc's")


@glibc_only
def test_threads_share_two_arenas_where_each_had_its_own(tmp_path: Path) -> None:
    assert arenas(tmp_path) > ARENAS
    assert arenas(tmp_path, "bound") == ARENAS


def arenas(folder: Path, *arguments: str) -> int:
    page = folder / "malloc_info"
    subprocess.run([sys.executable, "-c", COUNT_ARENAS, str(page), *arguments], check=True, timeout=stretched(60))
    return page.read_text().count("<heap nr=")


@glibc_only
def test_what_was_freed_goes_back_to_the_system() -> None:
    command = [sys.executable, "-c", FREE_A_LOT]
    mib = float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=stretched(60)).stdout)
    assert mib > 80


@glibc_only
def test_a_large_block_goes_back_whatever_lies_behind_it_once_malloc_is_bound() -> None:
    assert given_back() < 1
    assert given_back("bound") > 13


def given_back(*arguments: str) -> float:
    command = [sys.executable, "-c", FREE_LARGE_BLOCKS, *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=stretched(60)).stdout)
