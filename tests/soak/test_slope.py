"""The trend test finds a leak, and takes neither noise nor faults for one."""

from random import Random

import pytest

from tests.soak.evaluation import ANONYMOUS, MEDIAN_LATENCY, TAIL_LATENCY, trends
from tests.soak.sample import ProcessSample, StreamSample
from tests.soak.slope import MIN_SAMPLES, Bound, trend

HOUR = 3600.0
EVERY = 3.0
SAMPLES = int(HOUR / EVERY)


def points(growth_an_hour: float, *, noise: float = 2.0, spikes: float = 0.0) -> list[tuple[float, float]]:
    """Samples of an hour around 150, some of them anything."""
    chance = Random(1)
    return [
        (
            number * EVERY,
            150
            + growth_an_hour * number / SAMPLES
            + chance.gauss(0, noise)
            + (chance.uniform(100, 900) if chance.random() < spikes else 0.0),
        )
        for number in range(SAMPLES)
    ]


def is_flat(samples: list[tuple[float, float]], bound: Bound = ANONYMOUS) -> bool:
    found = trend("a", bound, samples)
    assert found is not None
    return found.is_flat


@pytest.mark.parametrize("spikes", [0.0, 0.1, 0.2])
def test_noise_and_spikes_are_no_leak(spikes: float) -> None:
    assert is_flat(points(0, spikes=spikes))
    assert is_flat(points(ANONYMOUS.an_hour * 0.8, spikes=spikes / 10))


@pytest.mark.parametrize("spikes", [0.0, 0.1, 0.2])
def test_a_leak_is_seen_through_noise_and_spikes(spikes: float) -> None:
    assert not is_flat(points(ANONYMOUS.an_hour * 1.3, spikes=spikes))


def test_temporary_rise_is_no_leak() -> None:
    assert is_flat([(second, 150 + 20 * (second % 300) / 300) for second in range(0, 3600, 3)])


def test_rise_is_in_the_unit_of_the_figure() -> None:
    found = trend("a", ANONYMOUS, points(60, noise=0))
    assert found is not None
    assert found.rise == pytest.approx(60, rel=0.01)


def test_short_life_is_bounded_by_noise() -> None:
    assert is_flat([(second, 150 + second * ANONYMOUS.at_least / 130) for second in range(0, 120, 3)])
    assert not is_flat([(second, 150 + second * ANONYMOUS.at_least / 100) for second in range(0, 120, 3)])


def test_too_few_samples_are_not_measured() -> None:
    assert trend("a", ANONYMOUS, points(0)[: MIN_SAMPLES - 1]) is None


def processes(life: str, *, leak: float = 0.0, descriptors: float = 0.0, disk: float = 0.0) -> list[ProcessSample]:
    """Samples of an hour, with what each figure grows in it; the first minutes grow in any case."""
    return [
        ProcessSample(
            number * EVERY,
            life,
            resident_mib=200,
            anonymous_mib=min(100 + number, 150) + leak * number / SAMPLES,
            descriptors=60 + descriptors * number / SAMPLES,
            disk_mib=10 + disk * number / SAMPLES,
        )
        for number in range(SAMPLES)
    ]


def streams(*, slower_ms: float = 0.0) -> list[StreamSample]:
    return [
        StreamSample(number * EVERY, 30 + slower_ms * number / SAMPLES, 90 + slower_ms * number / SAMPLES, 5)
        for number in range(SAMPLES)
    ]


def growing(processes_seen: list[ProcessSample], streams_seen: list[StreamSample]) -> set[tuple[str, str]]:
    return {(each.bound.figure, each.name) for each in trends(processes_seen, streams_seen) if not each.is_flat}


def test_a_good_soak_is_flat_in_every_figure_of_every_life() -> None:
    found = list(trends([*processes("a 1"), *processes("b 2")], streams()))
    assert len(found) == 2 * 3 + 2
    assert all(each.is_flat for each in found)


def test_growing_figure_is_named_with_its_process() -> None:
    good = processes("good 1")
    assert growing([*good, *processes("bad 2", leak=80)], streams()) == {("anonymous memory", "bad 2")}
    assert growing([*good, *processes("bad 2", descriptors=30)], streams()) == {("file descriptors", "bad 2")}
    assert growing([*good, *processes("bad 2", disk=80)], streams()) == {("disk of the state", "bad 2")}
    assert growing(good, streams(slower_ms=20)) == {(MEDIAN_LATENCY.figure, "all")}
    assert growing(good, streams(slower_ms=80)) == {(MEDIAN_LATENCY.figure, "all"), (TAIL_LATENCY.figure, "all")}
