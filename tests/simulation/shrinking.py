"""The shortest story of a failure: without every fault that it does not need."""

from collections.abc import Collection

from tests.simulation.equipment import Variant
from tests.simulation.run import Outcome, run_seed


def shrink(outcome: Outcome, without: Collection[int] = (), variant: Variant | None = None) -> tuple[set[int], Outcome]:
    """Leave out one fault after the other as long as something is wrong; return those left out, and what is left."""
    left_out = set(without)
    for fault in outcome.faults:
        tried = run_seed(outcome.seed, left_out | {fault.number}, variant)
        if tried.violations:
            left_out.add(fault.number)
            outcome = tried
    return left_out, outcome


def replay_command(seed: int, without: Collection[int]) -> str:
    """Return the command that reproduces the run."""
    omitted = f" --without {','.join(map(str, sorted(without)))}" if without else ""
    return f"python -m tests.simulation --seed {seed}{omitted} --story"
