"""The plan of a run with faults, and its report."""

from tests.chaos.plan import KINDS, plan_rounds
from tests.chaos.report import report
from tests.chaos.result import InjectedFault, Result


def test_the_same_seed_plans_the_same_faults() -> None:
    assert plan_rounds(100, seed=3) == plan_rounds(100, seed=3)
    assert plan_rounds(100, seed=3) != plan_rounds(100, seed=4)


def test_every_kind_is_among_as_many_faults_as_there_are_kinds() -> None:
    planned = [fault for each in plan_rounds(len(KINDS), seed=1) for fault in each.faults]

    assert {fault.kind for fault in planned} == set(KINDS)
    assert len(KINDS) <= 30


def test_round_has_faults_for_one_kind_of_cluster_only() -> None:
    for each in plan_rounds(300, seed=2):
        assert {fault.kind.brokers for fault in each.faults} == {each.brokers}


def test_report_counts_faults_and_open_transactions() -> None:
    struck = [InjectedFault("killed", was_open=number < 40, recovery_seconds=number / 10) for number in range(60)]

    text = report([Result(struck)], seed=7, minutes=3.0)

    assert f"{'killed':<62}{60:>6}{40:>6}{2.95:>8.1f}{5.9:>8.1f}" in text
    assert "3/60 = 5.0%" in text
    assert "3/40 = 7.5%" in text
    assert text.endswith("exact")


def test_report_names_violations_and_impossible_faults() -> None:
    text = report([Result([], ["an update came twice"], ["state directory read-only"])], seed=7, minutes=3.0)

    assert "SKIPPED, NOT POSSIBLE HERE: state directory read-only" in text
    assert text.endswith("an update came twice")
