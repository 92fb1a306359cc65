"""The median of the rounds decides whether a target is met."""

from bench.measure import Cost
from bench.runner import Result
from bench.target import Target


def a_result(candidate: str, cpu_us: float, shape: str = "one-action") -> Result:
    cost = Cost(cpu_us=cpu_us, total_cpu_us=0, clicks_per_second=0, peak_mib=0, broker_us=None)
    return Result(shape, candidate, cost)


TARGET = Target("steady CPU per click", lambda cost: cost.cpu_us, "floor", 2.5)


def test_a_ratio_within_the_limit_meets_the_target() -> None:
    results = [a_result("link-actions", cpu) for cpu in (5.0, 4.0, 9.0)] + [a_result("floor", 2.0)] * 3
    evaluation = TARGET.evaluate(results)
    assert evaluation.ratios == (2.5, 2.0, 4.5)
    assert evaluation.result == "met"


def test_a_ratio_above_the_limit_does_not() -> None:
    assert TARGET.evaluate([a_result("link-actions", 5.1), a_result("floor", 2.0)]).result == "not met"


def test_candidate_not_run_is_not_measured() -> None:
    results = [a_result("link-actions", 5.0), a_result("floor", 2.0, shape="duplicates")]
    assert TARGET.evaluate(results).result == "not measured"
