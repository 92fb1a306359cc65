"""The steps of a click are told apart, and nothing is counted twice."""

from pathlib import Path

from bench.core import material
from bench.links import START_MS
from bench.shape import DEFAULT, SHAPES
from tests.support.compiled import needs_compiled_parts

stages = needs_compiled_parts("bench.stages")
CLICKS = 2_000
STEPS = {"cut", "plan, partition, key", "look up", "decide, splice updates", "hits of each link", "write the state"}


def test_every_step_of_a_batch_is_measured(tmp_path: Path) -> None:
    given = material(SHAPES[DEFAULT], CLICKS)
    seconds = stages.measure(given, list(stages.blocks(given.values, 200)), tmp_path, START_MS + CLICKS)

    assert set(seconds) == STEPS | {"the rest"}
    assert all(each > 0 for each in seconds.values())


def test_a_step_within_another_counts_for_itself_alone() -> None:
    watch = stages.Stopwatch()
    inner = watch.timed("inner", lambda: sum(range(2_000_000)))
    watch.timed("outer", inner)()

    assert watch.seconds["outer"] < watch.seconds["inner"] / 10
