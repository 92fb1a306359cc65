"""The runner of the mutants, on a program of two functions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants.__main__ import sample
from tests.mutants.equivalents import read_equivalents
from tests.mutants.mutant import Mutant, mutants_of
from tests.mutants.packages import PACKAGES
from tests.mutants.report import Result, survivors, table
from tests.mutants.trial import Copy, NoYardstick, TrialResult, Yardstick, in_order
from tests.planted.copy import ROOT

PROGRAM = '''\
"""A program."""

LIMIT: int = 3


def is_large(number: int) -> bool:
    """Return whether it is more than 3."""
    return number > LIMIT


def wait(number: int) -> None:
    while number != 0:
        number -= 1
'''
TESTS = """\
from thing import is_large, wait

def test_it() -> None:
    assert is_large(4)
    assert not is_large(2)
    wait(2)
"""
CONFTEST = "from hypothesis import settings\nsettings.register_profile('unshrunk')\n"
FILE, TEST_FILE = "thing.py", "test_thing.py"


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    for name, text in ((FILE, PROGRAM), (TEST_FILE, TESTS), ("conftest.py", CONFTEST)):
        (tmp_path / name).write_text(text)
    copy = Copy(tmp_path)
    yield copy
    copy.close()


def mutant(root: Path, after: str) -> Mutant:
    """Return the mutant whose line becomes this."""
    (found,) = (each for each in mutants_of(root, FILE) if each.lines(root)[1] == after)
    return found


def test_a_fault_is_caught_and_one_that_no_test_notices_survives(copy: Copy) -> None:
    yardstick = copy.measure([TEST_FILE])
    assert yardstick.by_file.keys() == {TEST_FILE}

    def result(after: str) -> TrialResult:
        return copy.try_mutant(mutant(copy.root, after), [TEST_FILE], 240.0)

    assert result("return (number <= LIMIT)") is TrialResult.CAUGHT
    assert result("return (number >= LIMIT)") is TrialResult.SURVIVED
    assert copy.try_mutant(mutant(copy.root, "pass"), [TEST_FILE], 3.0) is TrialResult.TIMED_OUT
    assert (copy.root / FILE).read_text() == PROGRAM


def test_a_fault_that_changes_nothing_survives(copy: Copy) -> None:
    source = (copy.root / FILE).read_bytes()
    same = Mutant(FILE, 1, 0, len(source), source.decode())
    assert copy.try_mutant(same, [TEST_FILE], 240.0) is TrialResult.SURVIVED


def test_failing_or_missing_tests_give_no_result(copy: Copy) -> None:
    (copy.root / TEST_FILE).write_text("def test_it() -> None: assert False\n")
    with pytest.raises(NoYardstick):
        copy.measure([TEST_FILE])
    (copy.root / TEST_FILE).write_text("")
    with pytest.raises(NoYardstick):
        copy.try_mutant(mutant(copy.root, "pass"), [TEST_FILE], 240.0)


def test_texts_and_annotations_are_not_mutated(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(PROGRAM)
    assert [(each.line, each.faulty) for each in mutants_of(tmp_path, FILE)] == [
        (3, "4"),
        (8, "return None"),
        (8, "(number <= LIMIT)"),
        (8, "(number >= LIMIT)"),
        (12, "(number == 0)"),
        (12, "1"),
        (13, "pass"),
        (13, "2"),
    ]


def test_a_sample_is_the_same_for_the_same_seed_only() -> None:
    mutants = [Mutant("a.py", line, 0, 1, "") for line in range(100)]
    assert sample(mutants, 10, "1") == sample(mutants, 10, "1") != sample(mutants, 10, "2")
    assert list(sample(mutants, 1_000, "1")) == mutants


def test_tests_importing_the_module_run_first_quick_ones_ahead(tmp_path: Path) -> None:
    texts = {"slow.py": "from thing import wait\n", "quick.py": "import thing\n", "other.py": "import things\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    yardstick = Yardstick(4.0, {"slow.py": 3.0, "quick.py": 1.0, "other.py": 0.0})
    assert in_order(tmp_path, Mutant(FILE, 1, 0, 1, ""), yardstick, list(texts)) == ["quick.py", "slow.py", "other.py"]


def test_share_excludes_equivalents_and_counts_time_outs(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(PROGRAM)
    mutants = mutants_of(tmp_path, FILE)
    outcomes = [TrialResult.CAUGHT, TrialResult.TIMED_OUT, TrialResult.SURVIVED, TrialResult.SURVIVED]
    result = Result("things", dict(zip(mutants, outcomes, strict=False)), len(mutants))
    equivalents = {(FILE, *mutants[3].lines(tmp_path)): "no one can tell"}

    assert survivors(result, equivalents, tmp_path) == [mutants[2]]
    assert table([result], equivalents, tmp_path).splitlines()[-1] == "| things | 8 | 4 | 2 | 1 | 1 | 1 | 67% |"


def test_packages_and_equivalents_are_complete() -> None:
    for package in PACKAGES:
        assert sum(len(mutants_of(ROOT, file)) for file in package.files(ROOT)) > 50
        assert package.test_files(ROOT)
    assert all(read_equivalents().values())
