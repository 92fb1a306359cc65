"""CPU and time of processes for the clicks between a tenth of the topic and its end."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition

from bench.candidate import Running

WARM_UP = 10
"""Steady state starts after this fraction of the clicks: one in `WARM_UP`."""
START_CLICKS = 1_000_000
"""The cost including the start is measured over this many clicks, or all if there are fewer."""
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_TIME_LIMIT_SECONDS = 1_200


class NotDone(Exception):
    """A candidate ended early, or did not end."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Figures of one drain. `cpu_us` is user and system time per click from a tenth of the clicks on."""

    cpu_us: float
    total_cpu_us: float
    """The same from the start of the process on, over the first `START_CLICKS`."""
    clicks_per_second: float
    peak_mib: float
    broker_us: float | None
    """CPU per click of the broker at the same time; None if its process is not visible."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The resources used so far."""

    clicks: int
    cpu_seconds: float
    wall_seconds: float
    broker_seconds: float | None


class Watch:
    """Looks at the processes of a candidate while it works."""

    def __init__(self, running: Running, committed: Callable[[], int], broker: int | None) -> None:
        self._processes = [process.pid for process in running.processes]
        self._committed = committed
        self._broker = broker
        self._peaks = dict.fromkeys(self._processes, 0.0)

    def cost(self, clicks: int) -> Cost:
        """Watch until all clicks are done; raises NotDone."""
        early = self._until(clicks // WARM_UP)
        started = self._until(min(START_CLICKS, clicks))
        late = self._until(clicks)
        done = late.clicks - early.clicks
        if not done:
            raise NotDone(f"all {clicks} clicks were committed at once, which leaves nothing to measure; take more")
        broker = None
        if late.broker_seconds is not None and early.broker_seconds is not None:
            broker = (late.broker_seconds - early.broker_seconds) / done * 1e6
        return Cost(
            cpu_us=(late.cpu_seconds - early.cpu_seconds) / done * 1e6,
            total_cpu_us=started.cpu_seconds / started.clicks * 1e6,
            clicks_per_second=done / (late.wall_seconds - early.wall_seconds),
            peak_mib=sum(self._peaks.values()),
            broker_us=broker,
        )

    def _until(self, wanted: int) -> Usage:
        deadline = time.monotonic() + _TIME_LIMIT_SECONDS
        while time.monotonic() < deadline:
            has_ended = any(map(_has_ended, self._processes))
            clicks = self._committed()
            for process in self._processes:
                self._peaks[process] = max(self._peaks[process], memory_mib(process, "VmHWM"))
            if clicks >= wanted:
                return self._usage(clicks)
            if has_ended:
                raise NotDone(f"it ended after {clicks} of {wanted} clicks")
            time.sleep(0.02)
        raise NotDone(f"it has not done {wanted} clicks after {_TIME_LIMIT_SECONDS} s")

    def _usage(self, clicks: int) -> Usage:
        broker = None if self._broker is None else cpu_seconds(self._broker)
        return Usage(clicks, sum(map(cpu_seconds, self._processes)), time.monotonic(), broker)


class Progress:
    """Number of records of a topic that a group has committed."""

    def __init__(self, servers: str, topic: str, group: str, partitions: int) -> None:
        config = {"bootstrap.servers": servers, "group.id": group, "isolation.level": "read_uncommitted"}
        self._consumer = Consumer(config)
        self._places = [TopicPartition(topic, partition) for partition in range(partitions)]

    def __call__(self) -> int:
        """Ask the broker; 0 while the coordinator is still being found."""
        try:
            return sum(max(place.offset, 0) for place in self._consumer.committed(self._places, timeout=10))
        except KafkaException:
            return 0

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()


def measure(running: Running, progress: Progress, clicks: int, *, broker: int | None) -> Cost:
    """Watch a candidate until it has committed all clicks; raises NotDone."""
    with closing(progress):
        return Watch(running, progress, broker).cost(clicks)


def _has_ended(pid: int) -> bool:
    """Return whether it has ended, without reaping it: its usage can be read until then."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def cpu_seconds(pid: int) -> float:
    """Return user and system time of all threads: fields 14 and 15 of proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def memory_mib(pid: int, field: str) -> float:
    """Return a field of proc_pid_status(5), such as VmHWM, the largest resident memory; 0 once it has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(field)), 0.0)
