"""`python -m tests.simulation`: runs seeds and reports, or prints the events of one."""

import argparse
import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing import get_context
from time import monotonic

from rich.progress import Progress

from tests.simulation.report import Report
from tests.simulation.run import run_seed
from tests.simulation.shrinking import replay_command, shrink
from tests.simulation.silence import silenced

CHUNK = 50
TOLD = 3
"""Number of failing seeds whose events are printed."""


def main() -> int:
    """Return the exit code: 1 if there is a violation."""
    arguments = _parse()
    with silenced():
        if arguments.seed is not None:
            return tell_story(arguments.seed, arguments.without)
        return run_seeds(arguments.start, arguments.seeds, arguments.jobs)


def run_seeds(start: int, seeds: int, jobs: int) -> int:
    """Run them all, report, and print the reduced events of the first that fail."""
    began = monotonic()
    report = Report()
    chunks = [range(at, min(at + CHUNK, start + seeds)) for at in range(start, start + seeds, CHUNK)]
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("seeds", total=seeds)
        for part in _run_chunks(chunks, jobs):
            report.merge(part)
            progress.update(task, completed=report.seeds)
    _print(report.lines(start, monotonic() - began))
    for seed in sorted(report.failed)[:TOLD]:
        tell_shortened(seed)
    return 1 if report.failed else 0


def tell_story(seed: int, without: Sequence[int]) -> int:
    """Print every event of one seed."""
    outcome = run_seed(seed, without)
    _print([*outcome.story, *(outcome.violations or ["no violation"])])
    return 1 if outcome.violations else 0


def tell_shortened(seed: int) -> None:
    """Print the events of a failing seed reduced to the faults it needs, and the command that reproduces it."""
    left_out, outcome = shrink(run_seed(seed))
    _print(["", f"seed {seed}:", *outcome.story, *outcome.violations, replay_command(seed, left_out)])


def _run_chunks(chunks: Sequence[range], jobs: int) -> Iterator[Report]:
    if jobs == 1:
        yield from map(_run_chunk, chunks)
        return
    with get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(_run_chunk, chunks)


def _run_chunk(seeds: range) -> Report:
    gc.disable()
    report = Report()
    for seed in seeds:
        report.add(run_seed(seed))
    gc.collect()
    return report


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many")
    parser.add_argument("--start", type=int, default=1, help="the first")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share them")
    parser.add_argument("--seed", type=int, help="run this one only and tell its story")
    parser.add_argument("--story", action="store_true", help="with --seed, which implies it")
    parser.add_argument("--without", type=_numbers, default=[], help="faults to leave out, as 3,7,9")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)  # noqa: T201 - this is what the command is for


if __name__ == "__main__":
    sys.exit(main())
