"""Attacks a running edge with slow clients and idle connections, by our own client and by slowhttptest."""

import shutil
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from cli.output import say
from runtime.process.file_descriptors import raise_limit
from tests.edge_trials.watched import Watched
from tests.edge_trials.work import Given, an_edge, fresh_kafka
from tests.kafka.test_edge import a_path
from tests.support.edge import Crowd, link_path
from tests.support.strangers import Attack, attack_with, ranges, silence, slow_body, slow_headers, slow_read

SECONDS = 40.0
IDLE, OTHERS = 5_000, 1_000
CALM_SECONDS = 10.0
FEW = 20
"""Connections that may be those of other people."""
HELD_SECONDS = 30.0
"""Twenty until an unread answer is given up, and some to begin and to notice."""
LOOK_SECONDS = 0.2
SLOWHTTPTEST = "slowhttptest"
MODES = {
    "slow headers": ("-H", "-i", "5"),
    "slow body": ("-B", "-i", "5", "-s", "8192"),
    "ranges": ("-R", "-a", "10", "-b", "3000"),
    "slow read": ("-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"),
}
"""The modes of slowhttptest, with the values of its manual."""


def run(given: Given) -> bool:
    """Print how people were answered during each attack; return whether no attack was held for too long."""
    raise_limit()
    with fresh_kafka() as (kafka, folder):
        edge = an_edge(kafka, folder)
        crowd = Crowd(edge.edge_port, a_path, per_second=given.rate)
        watched = Watched(edge, crowd)
        watched.during("without attack", lambda: time.sleep(CALM_SECONDS))
        results = [_by_our_client(watched), _by_slowhttptest(watched)]
        watched.during("without attack", lambda: time.sleep(CALM_SECONDS))
        crowd.stop()
        return edge.stop() == 0 and all(results)


def _by_our_client(watched: Watched) -> bool:
    page = link_path("page", "r-1")
    attacks: list[tuple[str, Attack, int]] = [
        ("idle connections", silence, IDLE),
        ("slow headers", slow_headers, OTHERS),
        ("slow body", slow_body, OTHERS),
        ("ranges", ranges, OTHERS),
        ("slow read", partial(slow_read, page), OTHERS),
    ]
    results = [_attack(watched, name, attack, number) for name, attack, number in attacks]
    return all(results)


def _attack(watched: Watched, name: str, attack: Attack, connections: int) -> bool:
    """Attack from another process: it would slow the clocks of those who click."""
    edge = watched.edge
    before, held_seconds, most = edge.descriptors, 0.0, 0
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:

        def attack_until_over() -> None:
            nonlocal held_seconds, most
            begun = time.monotonic()
            over = pool.submit(attack_with, [attack], edge.edge_port, connections=connections, seconds=SECONDS)
            while not over.done():
                held = edge.descriptors - before
                held_seconds = time.monotonic() - begun if held > FEW else held_seconds
                most = max(most, held)
                time.sleep(LOOK_SECONDS)

        watched.during(f"{connections} x {name}", attack_until_over)
    say(f"  {most} connections at most, the last after {held_seconds:.0f} s; {edge.peak_mib:.0f} MiB at most so far")
    return held_seconds < HELD_SECONDS


def _by_slowhttptest(watched: Watched) -> bool:
    if shutil.which(SLOWHTTPTEST) is None:
        say("slowhttptest is not installed (apt-get install slowhttptest); it is left out")
        return True
    results = [_attack_by_tool(watched, name, options) for name, options in MODES.items()]
    return all(results)


def _attack_by_tool(watched: Watched, name: str, options: Sequence[str]) -> bool:
    url = f"http://127.0.0.1:{watched.edge.edge_port}{link_path('page', 'r-1')}"
    common = ("-c", str(OTHERS), "-r", "200", "-l", "20", "-p", "3", "-u", url)
    said: list[str] = []

    def attack() -> None:
        done = subprocess.run([SLOWHTTPTEST, *options, *common], capture_output=True, text=True, check=False)
        said.append(done.stdout)

    watched.during(f"slowhttptest, {name}", attack)
    is_available = "NO" not in [line.split()[-1] for line in said[0].splitlines() if "service available" in line]
    say(f"  service available: {'always' if is_available else 'not always'}; {watched.edge.resident_mib:.0f} MiB")
    return is_available
