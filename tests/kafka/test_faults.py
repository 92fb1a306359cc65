"""The long run, kept short: `make faults` has the real figures."""

from tests.faults.plan import plan_kills
from tests.faults.run import FaultRun
from tests.support.deployment import Deployment
from tests.support.outcome import hits


def test_randomly_killed_workers_are_exactly_once(deployment: Deployment) -> None:
    outcome = FaultRun(deployment, clicks=6_000, say=print).run(kills=1, seed=1)

    assert outcome.comparison.is_exact, str(outcome.comparison)
    assert hits(deployment) == outcome.model.hits
    assert not outcome.dead_letters


def test_same_seed_plans_same_kills() -> None:
    plan = plan_kills(("a", "b"), clicks=1_000, kills=5, seed=3)

    assert plan == plan_kills(("a", "b"), clicks=1_000, kills=5, seed=3)
    assert plan != plan_kills(("a", "b"), clicks=1_000, kills=5, seed=4)
    assert sorted(kill.victim for kill in plan) == ["a"] * 5 + ["b"] * 5
    assert all(kill.resume_at < kill.committed < kill.halt_at for kill in plan)
    assert plan[-1].halt_at == 1_000
