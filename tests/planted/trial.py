"""Planting one bug, and seeing whether it is caught."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.planted.bug import PlantedBug
from tests.planted.bugs_of_deciding import BUGS as OF_DECIDING
from tests.planted.bugs_of_effects import BUGS as OF_EFFECTS
from tests.planted.bugs_of_scripts import BUGS as OF_SCRIPTS
from tests.planted.bugs_of_the_edge import BUGS as OF_THE_EDGE
from tests.planted.bugs_of_the_loop import BUGS as OF_THE_LOOP
from tests.planted.bugs_of_the_stream import BUGS as OF_THE_STREAM
from tests.planted.copy import TESTS_FAILED, copy_program, run_tests

BUGS = (*OF_THE_LOOP, *OF_DECIDING, *OF_THE_STREAM, *OF_SCRIPTS, *OF_EFFECTS, *OF_THE_EDGE)

AT_ONCE = 2
"""Number of parallel trials; on two cores that takes 106 s instead of 172."""
_FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one bug: the first test that failed, or None; and the end of pytest's output."""

    bug: PlantedBug
    caught_by: str | None
    seconds: float
    output: str


def try_bug(bug: PlantedBug, folder: Path) -> Finding:
    """Plant the bug in a copy in this folder and run the tests that must catch it. Raises CannotBePlanted."""
    begun = time.monotonic()
    bug.plant(copy_program(folder))
    result = run_tests(folder, *bug.caught_by)
    failed = _FAILED.search(result.stdout)
    caught_by = failed.group(1) if failed and result.returncode == TESTS_FAILED else None
    return Finding(bug, caught_by, time.monotonic() - begun, (result.stdout + result.stderr)[-2_000:])


@contextmanager
def trials(bugs: Sequence[PlantedBug], folder: Path) -> Iterator[Mapping[PlantedBug, Future[Finding]]]:
    """Give what will come of each bug; those that have not begun when the block ends are not tried."""
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        yield {bug: pool.submit(try_bug, bug, folder / str(number)) for number, bug in enumerate(bugs)}
    finally:
        pool.shutdown(cancel_futures=True)
