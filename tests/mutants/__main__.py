"""`python -m tests.mutants`: a seeded sample of mutants per package, and how many of them the tests catch."""

import argparse
import queue
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.equivalents import read_equivalents
from tests.mutants.mutant import Mutant, mutants_of
from tests.mutants.packages import PACKAGES, Package
from tests.mutants.report import Result, survivors, table
from tests.mutants.trial import SLACK, SLACK_SECONDS, Copy, TrialResult, copy_with_docs, in_order

BY_NAME = {each.name: each for each in PACKAGES}


def main(arguments: Sequence[str]) -> int:
    """Try the samples, print the table and the survivors."""
    options = _options(arguments)
    wanted = [BY_NAME[name] for name in options.packages or BY_NAME]
    results = []
    with tempfile.TemporaryDirectory(prefix="link-actions-mutants-") as folder:
        # One stays unchanged while the sources are edited.
        sound = copy_with_docs(Path(folder) / "sound")
        copies = [Copy(copy_with_docs(Path(folder) / str(number))) for number in range(options.jobs)]
        for package in wanted:
            found = [mutant for file in package.files(sound) for mutant in mutants_of(sound, file)]
            chosen = sample(found, options.sample, f"{options.seed} {package.name}")
            results.append(Result(package.name, try_all(package, chosen, sound, copies), len(found)))
            report(results, sound)
        for copy in copies:
            copy.close()
    return 0


def sample(mutants: Sequence[Mutant], size: int, seed: str) -> Sequence[Mutant]:
    """Return a sample of that size, the same for the same seed and source."""
    return sorted(random.Random(seed).sample(mutants, min(size, len(mutants))), key=mutants.index)


def try_all(
    package: Package, mutants: Sequence[Mutant], sound: Path, copies: Sequence[Copy]
) -> Mapping[Mutant, TrialResult]:
    """Try each mutant in a separate copy, up to that time."""
    tests = package.test_files(sound)
    yardstick = [copy.measure(tests) for copy in copies][-1]
    seconds = SLACK * yardstick.seconds + SLACK_SECONDS
    say(f"{package.name}: {len(mutants)} mutants; without a fault the tests take {yardstick.seconds:.0f} s")
    free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def try_one(mutant: Mutant) -> TrialResult:
        copy = free.get()
        try:
            result = copy.try_mutant(mutant, in_order(sound, mutant, yardstick, tests), seconds)
        finally:
            free.put(copy)
        say(f"{result:9}  {mutant.file}:{mutant.line}  {' -> '.join(mutant.lines(sound))}")
        return result

    with ThreadPoolExecutor(len(copies)) as pool:
        return dict(zip(mutants, pool.map(try_one, mutants), strict=True))


def report(results: Sequence[Result], sound: Path) -> None:
    """Print the survivors of the last package and the table of all so far."""
    equivalents = read_equivalents()
    for mutant in survivors(results[-1], equivalents, sound):
        say(f"\nSURVIVED {mutant.file}:{mutant.line}\n{mutant.diff(sound)}")
    say(f"\n{table(results, equivalents, sound)}\n")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=40, help="mutants of each package")
    parser.add_argument("--seed", default="1", help="which ones")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once")
    parser.add_argument("packages", nargs="*", help=f"of {', '.join(BY_NAME)}; all by default")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.packages if name not in BY_NAME]:
        parser.error(f"there is no package {unknown[0]}; choose from {', '.join(BY_NAME)}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
