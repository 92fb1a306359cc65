"""The long run with random kills, in small: `make faults` is the same with more of everything."""

import pytest

from tests import faults
from tests.support.installation import Installation


def test_workers_that_are_killed_at_random_repeat_nothing_and_lose_nothing(
    bare_installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faults.run(bare_installation, clicks=12_000, kills=2, seed=2), capsys.readouterr().out


def test_kills_are_the_same_for_the_same_seed_and_spread_over_both_workers() -> None:
    plan = faults.plan_kills(200_000, 5, seed=1)
    assert plan == faults.plan_kills(200_000, 5, seed=1) != faults.plan_kills(200_000, 5, seed=2)
    assert [sum(kill.worker == name for kill in plan) for name in faults.WORKERS] == [5, 5]
