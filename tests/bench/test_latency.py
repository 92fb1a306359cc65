"""A candidate that falls behind misses the target, and the warm-up run does not count."""

from argparse import Namespace
from pathlib import Path

import pytest

from bench import latency
from bench.candidate import Candidate
from bench.constant_rate import Late, Latency, Traffic


class NoGround:
    closed = 0

    def __init__(self, *_: object) -> None:
        """Take the arguments of an environment."""

    def close(self) -> None:
        """Drop nothing, and count it."""
        NoGround.closed += 1


def test_candidate_falling_behind_misses_the_limit_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []

    def measured(_environment: NoGround, candidate: Candidate, traffic: Traffic) -> Latency:
        runs.append(candidate.name)
        if candidate.name == "kafka-streams":
            raise Late("updates are missing")
        if len(runs) == 1:
            return Latency(traffic.rate, candidate.name, 1, 1, 1)
        return Latency(traffic.rate, candidate.name, 20, 50, 100)

    monkeypatch.setattr(NoGround, "closed", 0)
    monkeypatch.setattr(latency, "Environment", NoGround)
    monkeypatch.setattr(latency, "measure", measured)
    names = ["link-actions", "kafka-streams", "floor"]
    options = Namespace(rates=[2_000], candidates=names, rounds=1, warm_up=1, seconds=1)
    latencies = list(latency.alternate("", Path(), options))
    assert runs == ["link-actions", *names]
    assert NoGround.closed == len(runs)  # whether it got done or not
    assert [each.p50 for each in latencies] == [20, float("inf"), 20]


def test_a_program_that_falls_behind_does_not_meet_its_targets() -> None:
    behind = [Latency(rate, "link-actions", float("inf"), float("inf"), float("nan")) for rate in latency.RATES]
    results = [row[-1] for row in latency.target_rows(behind)]
    assert results == ["not met", "not measured", "not met", "not measured", "not met"]


def test_ratio_to_a_candidate_behind_is_not_measured() -> None:
    ours = Latency(2_000, "link-actions", 20, 50, 100)
    behind = Latency(2_000, "kafka-streams", float("inf"), float("inf"), float("nan"))
    ratios = [row for row in latency.target_rows([ours, behind]) if "kafka-streams" in row[0]]
    assert [row[-1] for row in ratios] == ["not measured", "not measured"]
