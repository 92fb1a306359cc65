"""`python -m tests.planted`: the bugs and what caught each; exit 1 where one was not caught."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.planted.trial import BUGS, Finding, trials


def main(names: Sequence[str]) -> int:
    """Try all bugs, or those whose name holds one of the words."""
    wanted = [bug for bug in BUGS if not names or any(name in bug.name for name in names)]
    missed = 0
    with (
        tempfile.TemporaryDirectory(prefix="link-actions-planted-") as folder,
        trials(wanted, Path(folder)) as running,
    ):
        for number, trial in enumerate(running.values(), start=1):
            finding = trial.result()
            missed += finding.caught_by is None
            say(f"{number:2} of {len(wanted)}  {told(finding)}")
    say(f"{len(wanted) - missed} of {len(wanted)} planted bugs were caught")
    return 1 if missed or not wanted else 0


def told(finding: Finding) -> str:
    """Return one finding as text."""
    if finding.caught_by is None:
        return f"NOT CAUGHT: {finding.bug.name}\n{finding.output}"
    return f"{finding.bug.name}\n            caught by {finding.caught_by} ({finding.seconds:.0f} s)"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
