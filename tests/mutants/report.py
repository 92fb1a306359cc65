"""The table by package, and the survivors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.equivalents import Name, name_of
from tests.mutants.mutant import Mutant
from tests.mutants.trial import TrialResult


@dataclass(frozen=True, slots=True)
class Result:
    """The result of the sample of one package."""

    package: str
    by_mutant: Mapping[Mutant, TrialResult]
    all_mutants: int


def table(results: Sequence[Result], equivalents: Mapping[Name, str], root: Path) -> str:
    """Return the Markdown table; the share is of those that are not equivalent, and time-outs count as caught."""
    columns = ("package", "mutants", "sampled", "caught", "of them timed out", "survived", "equivalent", "share caught")
    head = f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|"
    return "\n".join([head, *(_row(each, equivalents, root) for each in results)])


def survivors(result: Result, equivalents: Mapping[Name, str], root: Path) -> Sequence[Mutant]:
    """Return what survived and is not listed as equivalent."""
    return [mutant for mutant in _uncaught(result) if name_of(mutant, root) not in equivalents]


def _row(result: Result, equivalents: Mapping[Name, str], root: Path) -> str:
    uncaught, left = _uncaught(result), survivors(result, equivalents, root)
    caught = len(result.by_mutant) - len(uncaught)
    timed_out = list(result.by_mutant.values()).count(TrialResult.TIMED_OUT)
    share = caught / max(caught + len(left), 1)
    figures = (result.all_mutants, len(result.by_mutant), caught, timed_out, len(left), len(uncaught) - len(left))
    return f"| {result.package} | {' | '.join(map(str, figures))} | {share:.0%} |"


def _uncaught(result: Result) -> Sequence[Mutant]:
    return [mutant for mutant, outcome in result.by_mutant.items() if outcome is TrialResult.SURVIVED]
