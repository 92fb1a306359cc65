"""Many seeds, each a short life of several workers under faults; and the simulator's own promises."""

import os
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import get_context

import pytest

from tests.simulation.run import run_seed
from tests.simulation.shrinking import replay_command
from tests.simulation.silence import silenced

SEEDS = 2_000
CHUNK = 50
REGRESSIONS = (40, 108, 111, 219, 337, 837, 1416, 5146)
"""Seeds that have failed while the simulator was made, mostly since its twin of Kafka was wrong."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with silenced():
        yield


def failing(seeds: range) -> list[str]:
    return [f"{replay_command(seed, ())}: {found}" for seed in seeds for found in run_seed(seed).violations]


@pytest.mark.timeout(1_200)
def test_whatever_a_seed_brings_about_everything_happens_once() -> None:
    chunks = [range(start, start + CHUNK) for start in range(1, SEEDS + 1, CHUNK)]
    with get_context("fork").Pool(2) as pool:
        assert next((found for found in pool.imap(failing, chunks) if found), []) == []


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_what_went_wrong_once_does_not_again(seed: int) -> None:
    assert run_seed(seed).violations == []


def test_the_same_seed_tells_the_same_story_in_another_process() -> None:
    stories = [told_by_a_fresh_process(hash_seed) for hash_seed in ("1", "2")]
    assert stories[0] == stories[1]
    assert stories[0].count("starts") > 2


def told_by_a_fresh_process(hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--seed", "7", "--story"]
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=100).stdout


def test_a_fault_that_is_left_out_does_not_strike() -> None:
    outcome = run_seed(7)
    struck = next(iter(outcome.struck))
    without = run_seed(7, [struck])
    assert struck not in without.struck
    assert len(without.faults) == len(outcome.faults) - 1
