"""Trends of a soak: each figure of each process, and of the whole run, after a warm-up."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tests.soak.sample import ProcessSample, StreamSample
from tests.soak.slope import Bound, Trend, trend

Sample = TypeVar("Sample")

WARM_UP = 0.25
"""Share of a life, or of the whole, that is passed over: caches fill, and the ids of single clicks, kept for a day of
click time, grow to their full number."""

# A leak of 64 bytes a click, at 250 clicks a second in each worker, is 55 MiB an hour: twice what is allowed.
# Pages of the row files that are mapped grow as their disk does, and are bounded there.
ANONYMOUS = Bound("anonymous memory", "MiB", at_least=12.0, an_hour=24.0)
# Row files grow until they are rewritten, the definitions' not at all.
DISK = Bound("disk of the state", "MiB", at_least=12.0, an_hour=24.0)
# One client has ten. The one whose call the library lost while a broker was away (its issues 5456 and 5511) stays until
# an idle connection is closed, and no longer; each of five restarts of the broker leaving one would be 50.
DESCRIPTORS = Bound("file descriptors", "", at_least=12.0, an_hour=12.0)
MEDIAN_LATENCY = Bound("latency p50", "ms", at_least=10.0, an_hour=10.0)
TAIL_LATENCY = Bound("latency p99", "ms", at_least=40.0, an_hour=40.0)


def trends(processes: Sequence[ProcessSample], streams: Sequence[StreamSample]) -> Iterator[Trend]:
    """Yield the trends; short-lived processes have none."""
    lives: dict[str, list[ProcessSample]] = defaultdict(list)
    for sample in processes:
        lives[sample.life].append(sample)
    for life, samples in lives.items():
        warm = _warm(samples)
        yield from _measured(life, ANONYMOUS, [(each.seconds, each.anonymous_mib) for each in warm])
        yield from _measured(life, DESCRIPTORS, [(each.seconds, each.descriptors) for each in warm])
        yield from _measured(life, DISK, [(each.seconds, each.disk_mib) for each in warm])
    seen = _warm([each for each in streams if each.p50_ms is not None])
    yield from _measured("all", MEDIAN_LATENCY, [(each.seconds, each.p50_ms or 0.0) for each in seen])
    yield from _measured("all", TAIL_LATENCY, [(each.seconds, each.p99_ms or 0.0) for each in seen])


def _measured(name: str, bound: Bound, points: Sequence[tuple[float, float]]) -> Iterator[Trend]:
    found = trend(name, bound, points)
    if found is not None:
        yield found


def _warm(samples: Sequence[Sample]) -> Sequence[Sample]:
    return samples[int(len(samples) * WARM_UP) :]
