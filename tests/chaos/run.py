"""A whole run: the rounds that are planned, on brokers that are started when the first round needs them."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from tests.chaos.brokers import Brokers, OneBroker, ThreeBrokers
from tests.chaos.plan import Round
from tests.chaos.result import Result
from tests.chaos.round import run_round

CLUSTERS: Mapping[int, Callable[[Path, Mapping[str, str]], Brokers]] = {1: OneBroker, 3: ThreeBrokers}


def run_rounds(
    rounds: Sequence[Round], folder: Path, *, environ: Mapping[str, str], say: Callable[[str], object]
) -> list[Result]:
    """Carry out the rounds, up to the first one with a violation; raises KafkaMissing."""
    results: list[Result] = []
    for count, mine in groupby(rounds, key=lambda each: each.brokers):
        with ExitStack() as stack:
            brokers = CLUSTERS[count](folder, environ)
            stack.callback(brokers.close)
            for planned in mine:
                say(f"round of {len(planned.faults)} faults on {brokers.describe()}, clicks by seed {planned.seed}")
                own = folder / f"round-{len(results) + 1}"
                own.mkdir()
                started = time.monotonic()
                results.append(run_round(planned, brokers, own, say=say))
                say(f"verified after {time.monotonic() - started:.0f} s: {results[-1].violations or 'exact'}")
                if results[-1].violations:
                    return results
    return results
