"""Fills the disk of the spool, lets one fail, and damages a segment, while people click."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from cli.output import say
from deploy.kafka import KafkaProcess
from tests.edge_trials.verdict import judge
from tests.edge_trials.watched import Watched
from tests.edge_trials.work import Given, an_edge, fresh_kafka
from tests.support.disks import MortalDisk, NoDisk, SmallDisk, mortal_disk, small_disk
from tests.support.edge import Crowd, EdgeProcess, link_path
from tests.support.waiting import wait_until

SECONDS = 10.0
DISK_MIB = 96
"""Room for one segment; its clicks of 8 KB fill it in half a minute."""
DAMAGED_CLICKS = 10_000
SPOOL, LIMIT, SYNC, BROKERS = (
    f"LINK_ACTIONS_{each}" for each in ("EDGE_SPOOL_DIR", "EDGE_SPOOL_LIMIT", "EDGE_SYNC", "BOOTSTRAP_SERVERS")
)


def run(given: Given) -> bool:
    """Print the figures of each trial; return whether every answered click is in the topic that should be."""
    trials: list[Callable[[KafkaProcess, Path, float], bool]] = [_full, _failing, _damaged]
    results = [_in_its_own_place(trial, given.rate) for trial in trials]
    return all(results)


def _in_its_own_place(trial: Callable[[KafkaProcess, Path, float], bool], rate: float) -> bool:
    with fresh_kafka() as (kafka, folder):
        try:
            return trial(kafka, folder, rate)
        except NoDisk as reason:
            say(f"left out, it mounts a disk: {reason}")
            return True


def _full(kafka: KafkaProcess, folder: Path, rate: float) -> bool:
    say("full disk: the broker is frozen, and clicks of 8 KB fill the only segment that there is room for")
    make: AbstractContextManager[SmallDisk] = small_disk(folder / "disk", DISK_MIB)
    with make as disk:
        edge = an_edge(kafka, folder, {SPOOL: str(disk.folder), LIMIT: "1 GiB"})
        paths = partial(link_path, "long")
        crowd = Crowd(edge.edge_port, lambda number: paths(f"r-{number}"), connections=60, per_second=rate)
        watched = Watched(edge, crowd)
        kafka.pause()
        watched.during("disk fills", partial(edge.wait_event, "spool.refused", timeout=300))
        watched.during("disk is full", lambda: time.sleep(SECONDS))
        kafka.resume()
        watched.during("broker is back", partial(edge.wait_event, "spool.recovered", timeout=300))
        watched.during("afterwards", lambda: time.sleep(SECONDS))
        return _judge(kafka, folder, watched)


def _failing(kafka: KafkaProcess, folder: Path, rate: float) -> bool:
    say("failing disk, SYNC=power: an ext4 whose device refuses new blocks after a while")
    make: AbstractContextManager[MortalDisk] = mortal_disk(folder / "disk")
    with make as disk:
        edge = an_edge(kafka, folder, {SPOOL: str(disk.folder), LIMIT: "128 MiB", SYNC: "power"})
        watched = Watched(edge, Crowd(edge.edge_port, lambda number: link_path("news", f"r-{number}"), per_second=rate))
        watched.during("before", lambda: time.sleep(SECONDS))
        disk.die()
        watched.during("disk fails", partial(edge.wait_event, "spool.refused", timeout=300))
        watched.during("disk has failed", lambda: time.sleep(SECONDS))
        return _judge(kafka, folder, watched)


def _damaged(kafka: KafkaProcess, folder: Path, _rate: float) -> bool:
    say("damaged segment: no broker, a kill, and a flipped bit in the middle of the file")
    an_edge(kafka, folder).stop()
    edge = an_edge(kafka, folder, {BROKERS: "127.0.0.1:1"})
    crowd = Crowd(edge.edge_port, lambda number: link_path("spring", f"r-{number}"), connections=1)
    wait_until(lambda: len(crowd.click_ids) >= DAMAGED_CLICKS, "answers", timeout=300)
    ids = crowd.stop().click_ids
    edge.kill()
    (segment,) = (folder / "spool").glob("edge-*/*.segment")
    content = bytearray(segment.read_bytes())
    content[content.index(ids[len(ids) // 2].encode())] ^= 1
    segment.write_bytes(content)
    last = an_edge(kafka, folder)
    kept = last.wait_event("spool.damaged")["file"]
    last.stop()
    verdict = judge(kafka, folder, ids)
    say(f"{verdict}; the rest is in {Path(kept).name}")
    return verdict.lost == len(ids) - len(ids) // 2


def _judge(kafka: KafkaProcess, folder: Path, watched: Watched) -> bool:
    watched.crowd.stop()
    _stop(watched.edge)
    verdict = judge(kafka, folder, watched.crowd.click_ids)
    say(str(verdict))
    return not verdict.lost


def _stop(edge: EdgeProcess) -> None:
    begun = time.monotonic()
    code = edge.stop(timeout=60)
    say(f"stopped with exit code {int(code)} after {time.monotonic() - begun:.1f} s")
