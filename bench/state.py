"""`python -m bench.state`: what the state stores cost per click, beside each other, as they grow.

Each store runs in a separate process, one after the other, for each number of keys. A batch is what the worker makes of
2,000 clicks on one partition: look up the keys, the hits of 400 links and the partition count; keep 1,400 new keys and
the changed hits. 30 % of the clicks are known.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runtime.state.in_memory import MemoryState
from runtime.state.rocksdb import RocksState
from runtime.state.rowfile.state import RowFileState
from runtime.state.store import PartitionStore, StateStore

STORES: dict[str, Callable[[Path], StateStore]] = {
    "memory": lambda _: MemoryState(),
    "rowfile": RowFileState,
    "rocksdb": RocksState,
}
Batch = tuple[Sequence[Sequence[bytes]], dict[bytes, bytes]]
"""Keys to look up, call by call, and entries to write."""
Bytes = NDArray[np.uint8]
CLICKS, KNOWN, LINKS = 2_000, 600, 400
KEY_BYTES = 24
LOAD = 50_000
RECENT = 20
"""Loads that the keys which clicks know are mostly taken from: a million keys."""
BATCHES = 500
CHANGELOG = "bench"
CHECKPOINT_KEY = b"\x00partitions"
VALUE = bytes(10)


@dataclass(frozen=True, slots=True)
class Figures:
    """The cost of one store at one number of keys."""

    us_per_click: float
    known_us_per_click: float
    p99_ms: float
    worst_ms: float
    load_us_per_key: float
    worst_load_ms: float
    memory_mb: float
    open_seconds: float
    find_ms: float
    disk_bytes_per_key: float


class Keys:
    """Random keys of 24 bytes, a recipient and one of a thousand links, made again from their number when asked for."""

    def __init__(self) -> None:
        chance = np.random.default_rng(1)
        self._links = chance.integers(0, 256, (1_000, 8), dtype=np.uint8)
        self.hits = [chance.bytes(16) for _ in range(LINKS)]
        self._recent = np.zeros((RECENT, LOAD, KEY_BYTES), dtype=np.uint8)
        self._chunks = 0

    def fresh(self) -> list[bytes]:
        """Return as many new keys as are loaded at a time."""
        chunk = self._recent[self._chunks % RECENT] = self._make(self._chunks)
        self._chunks += 1
        return _split(chunk)

    def seen(self, count: int, chance: random.Random) -> list[bytes]:
        """Return keys that were given out before, one in twenty of them long ago."""
        newest = min(self._chunks, RECENT)
        places = [(chance.randrange(newest), chance.randrange(LOAD)) for _ in range(count - count // 20)]
        recent = self._recent[tuple(zip(*places, strict=True))]
        old = self._make(chance.randrange(self._chunks))[: count // 20]
        return [*_split(recent), *_split(old)]

    def _make(self, number: int) -> Bytes:
        chance = np.random.default_rng([2, number])
        links = self._links[chance.integers(0, len(self._links), LOAD)]
        return np.hstack([chance.integers(0, 256, (LOAD, KEY_BYTES - 8), dtype=np.uint8), links])


def main() -> None:
    """Measure every store in a separate process, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--stores", nargs="*", default=["rowfile", "rocksdb"], choices=list(STORES))
    parser.add_argument("--only", nargs=2, metavar=("STORE", "KEYS"), help="one measurement, in this process")
    parser.add_argument("--rewriting", action="store_true", help="what leaving dead rows behind costs, instead")
    parser.add_argument("--folder", type=Path, default=None, help="where the stores are made")
    arguments = parser.parse_args()
    if arguments.only:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            figures = measure(arguments.only[0], Path(folder), int(arguments.only[1]))
            sys.stdout.write(" ".join(map(str, astuple(figures))))
        return
    if arguments.rewriting:
        for keys in arguments.keys:
            with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
                sys.stdout.write(measure_rewriting(Path(folder), keys) + "\n")
        return
    _tell("keys", "store", [f"{field.name:>{len(field.name)}}" for field in fields(Figures)])
    for keys in arguments.keys:
        for store in arguments.stores:
            cells = zip(fields(Figures), _apart(store, keys, arguments.folder), strict=True)
            _tell(f"{keys:,}", store, [f"{value:>{len(field.name)}.2f}" for field, value in cells])


def _tell(keys: str, store: str, cells: Sequence[str]) -> None:
    sys.stdout.write(" ".join([f"{keys:>11} {store:<8}", *cells, "\n"]))
    sys.stdout.flush()


def measure(name: str, folder: Path, count: int) -> Figures:
    """Load the store, open it again, and give it batches of clicks."""
    keys, chance = Keys(), random.Random(3)
    bare = _anonymous_bytes()
    state = STORES[name](folder)
    load_cpu, load_walls = _timed(state.open(0, CHANGELOG), _loads(keys, count))
    state.close()
    disk = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
    state = state if name == "memory" else STORES[name](folder)
    started = time.perf_counter()
    store = state.open(0, CHANGELOG)
    store.get_many([CHECKPOINT_KEY])
    opened = time.perf_counter() - started
    found = _find_one(store, keys.seen(20, chance)[0])
    cpu, walls = _timed(store, _clicks(keys, chance, KNOWN))
    known_cpu, _ = _timed(store, _clicks(keys, chance, CLICKS * 95 // 100))
    memory = _anonymous_bytes() - bare
    state.close()
    return Figures(
        us_per_click=cpu / BATCHES / CLICKS * 1e6,
        known_us_per_click=known_cpu / BATCHES / CLICKS * 1e6,
        p99_ms=_p99(walls),
        worst_ms=max(walls) * 1e3,
        load_us_per_key=load_cpu / count * 1e6,
        worst_load_ms=max(load_walls) * 1e3,
        memory_mb=memory / 1e6,
        open_seconds=opened,
        find_ms=found * 1e3,
        disk_bytes_per_key=disk / count,
    )


def measure_rewriting(folder: Path, count: int) -> str:
    """Replace values until a third of the rows are dead, and give batches of clicks while those are left behind."""
    keys, chance = Keys(), random.Random(3)
    state = RowFileState(folder)
    store = state.open(0, CHANGELOG)
    _timed(store, _loads(keys, count))
    before, quiet = _timed(store, _clicks(keys, chance, KNOWN))
    files, fresh = folder / "partition-0", _loads(Keys(), count)
    while len(list(files.iterdir())) == 1:
        _timed(store, [next(fresh)])
    moves = 0.0
    walls: list[float] = []
    while not walls or len(list(files.iterdir())) > 1:
        cpu, some = _timed(store, _clicks(keys, chance, KNOWN))
        moves, walls = moves + cpu, walls + some
    state.close()
    return f"{count:,} keys: {_told(before, quiet)}; while rows are moved: {_told(moves, walls)}"


def _told(cpu: float, walls: Sequence[float]) -> str:
    us, p99_ms, worst_ms = cpu / len(walls) / CLICKS * 1e6, _p99(walls), max(walls) * 1e3
    return f"{us:.2f} us per click, p99 {p99_ms:.1f} ms, worst {worst_ms:.1f} ms of {len(walls)} batches"


def _p99(walls: Sequence[float]) -> float:
    return sorted(walls)[len(walls) * 99 // 100] * 1e3


def _find_one(store: PartitionStore, key: bytes) -> float:
    """Return how long it takes to find all that is remembered of one recipient."""
    started = time.perf_counter()
    if key not in dict(store.scan(key[: KEY_BYTES - 8])):
        raise RuntimeError("a recipient was not found")
    return time.perf_counter() - started


def _loads(keys: Keys, count: int) -> Iterator[Batch]:
    for _ in range(0, count, LOAD):
        yield (), dict.fromkeys(keys.fresh(), VALUE)


def _clicks(keys: Keys, chance: random.Random, known: int) -> Iterator[Batch]:
    """Yield batches of clicks, the given number of them by recipients that the state knows."""
    fresh: list[bytes] = []
    for number in range(BATCHES):
        if len(fresh) < CLICKS:
            fresh = keys.fresh()
        new, fresh = fresh[: CLICKS - known], fresh[CLICKS - known :]
        asked = [*new, *keys.seen(known, chance)]
        chance.shuffle(asked)
        entries = dict.fromkeys(new, VALUE) | {key: number.to_bytes(25, "big") for key in keys.hits}
        yield (keys.hits, asked, [CHECKPOINT_KEY]), entries


def _timed(store: PartitionStore, batches: Iterable[Batch]) -> tuple[float, list[float]]:
    """Return the CPU seconds of all threads, and the wall time of each batch."""
    cpu, walls, position = 0.0, [], store.position
    for looked_up, entries in batches:
        cpu_before, wall_before = time.process_time(), time.perf_counter()
        for keys in looked_up:
            store.get_many(keys)
        position += 1
        store.write(entries, position)
        walls.append(time.perf_counter() - wall_before)
        cpu += time.process_time() - cpu_before
    return cpu, walls


def _split(keys: Bytes) -> list[bytes]:
    whole = keys.tobytes()
    return [whole[start : start + KEY_BYTES] for start in range(0, len(whole), KEY_BYTES)]


def _anonymous_bytes() -> int:
    """Return the private anonymous memory: RssAnon of proc_pid_status(5)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) * 1024


def _apart(store: str, keys: int, folder: Path | None) -> list[float]:
    command = [sys.executable, "-m", "bench.state", "--only", store, str(keys)]
    command += ["--folder", str(folder)] if folder else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(cell) for cell in done.stdout.split()]


if __name__ == "__main__":
    main()
