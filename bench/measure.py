"""What a process took for the clicks between a tenth of the topic and its end."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_TIME_LIMIT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Cost:
    """Figures of one drain. `cpu_us` is user and system time per click from a tenth of the clicks on."""

    cpu_us: float
    clicks_per_second: float
    peak_mib: float
    total_cpu_us: float
    """The same over the whole life of the process, start included."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used by now."""

    clicks: int
    cpu_seconds: float
    wall_seconds: float


def measure_drain(command: list[str], environ: dict[str, str], committed: Callable[[], int], clicks: int) -> Cost:
    """Start the command, watch it until `committed` reaches the clicks, and end it."""
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        early = _wait(process, committed, clicks // 10)
        late = _wait(process, committed, clicks)
        peak_mib = _peak_mib(process.pid)
    finally:
        process.terminate()
        process.wait(30)
    done, cpu = late.clicks - early.clicks, late.cpu_seconds - early.cpu_seconds
    return Cost(
        cpu_us=cpu / done * 1e6,
        clicks_per_second=done / (late.wall_seconds - early.wall_seconds),
        peak_mib=peak_mib,
        total_cpu_us=late.cpu_seconds / late.clicks * 1e6,
    )


def committed_by(servers: str, topic: str, group: str, partitions: int) -> Callable[[], int]:
    """Return a function that asks the broker how many records of the topic the group has committed."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": group, "isolation.level": "read_uncommitted"})
    places = [TopicPartition(topic, partition) for partition in range(partitions)]

    def committed() -> int:
        try:
            return sum(max(place.offset, 0) for place in consumer.committed(places, timeout=10))
        except KafkaException:
            return 0  # the coordinator is still being found; the caller asks again until its time limit

    return committed


def _wait(process: "subprocess.Popen[bytes]", committed: Callable[[], int], wanted: int) -> Usage:
    deadline = time.monotonic() + _TIME_LIMIT_SECONDS
    clicks = 0
    while time.monotonic() < deadline:
        clicks = committed()
        if clicks >= wanted:
            return Usage(clicks, _cpu_seconds(process.pid), time.monotonic())
        if process.poll() is not None:
            raise RuntimeError(f"the process ended with {process.returncode}")
        time.sleep(0.02)
    raise RuntimeError(f"{clicks} of {wanted} clicks after {_TIME_LIMIT_SECONDS} s")


def _cpu_seconds(pid: int) -> float:
    """Return user and system time of all threads: fields 14 and 15 of proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def _peak_mib(pid: int) -> float:
    """Return the largest resident memory, VmHWM of proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
