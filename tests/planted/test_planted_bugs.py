"""Each planted bug is caught by the tests that it names; without it they pass, as the run of all tests shows."""

from pathlib import Path

import pytest

from tests.planted.bug import CannotBePlanted, Edit, PlantedBug
from tests.planted.copy import copy_program, run_tests
from tests.planted.trial import BUGS, try_bug

FEWEST = 15


def marked(bug: PlantedBug) -> object:
    return pytest.param(bug, marks=pytest.mark.kafka if bug.needs_kafka else (), id=bug.name.replace(" ", "-"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", [marked(bug) for bug in BUGS])
def test_a_planted_bug_is_caught(bug: PlantedBug, tmp_path: Path) -> None:
    finding = try_bug(bug, tmp_path)
    assert finding.caught_by is not None, finding.output


def test_there_are_enough_of_them_and_no_two_alike() -> None:
    assert len({bug.name for bug in BUGS}) == len({bug.edits for bug in BUGS}) == len(BUGS) >= FEWEST


def test_without_a_bug_nothing_is_caught_in_the_copy(tmp_path: Path) -> None:
    tests = (
        "tests/loop/test_story.py",
        "tests/decision/test_against_model.py",
        "tests/ports/test_commit_at_the_edges.py",
    )
    harmless = PlantedBug("none", (), tests)
    assert try_bug(harmless, tmp_path).caught_by is None


def test_broken_program_is_no_caught_bug(tmp_path: Path) -> None:
    broken = Edit("consumer/loop/loop.py", "class Loop(TransactionLoop[Batch]):", "class Loop(TransactionLoop[Batch])")
    assert try_bug(PlantedBug("broken", (broken,), ("tests/loop/test_story.py",)), tmp_path).caught_by is None


def test_bug_whose_lines_are_gone_is_reported(tmp_path: Path) -> None:
    gone = Edit("consumer/loop/loop.py", "these lines were never there", "")
    with pytest.raises(CannotBePlanted, match="update the bug"):
        try_bug(PlantedBug("gone", (gone,), ()), tmp_path)


def test_missing_test_catches_nothing(tmp_path: Path) -> None:
    result = run_tests(copy_program(tmp_path), "tests/loop/test_of_nothing.py")
    assert result.returncode not in (0, 1)
