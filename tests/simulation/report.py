"""Totals over many seeds."""

import platform
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version

from runtime.monitoring.version import versions
from tests.simulation.fault import Kind
from tests.simulation.run import Outcome

CRASHES = (Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.CRASH_LATE)


@dataclass
class Report:
    """Faults are counted where they struck; a planned one may find nothing to strike."""

    seeds: int = 0
    simulated_seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    in_transaction: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Add one seed."""
        self.seeds += 1
        self.simulated_seconds += outcome.seconds
        for fault in outcome.faults:
            if fault.number in outcome.struck:
                self.faults[fault.kind] += 1
                self.in_transaction[fault.kind] += outcome.struck[fault.number]
        if outcome.violations:
            self.failed.append(outcome.seed)

    def merge(self, other: "Report") -> None:
        """Add what another process has counted."""
        self.seeds += other.seeds
        self.simulated_seconds += other.simulated_seconds
        self.faults += other.faults
        self.in_transaction += other.in_transaction
        self.failed += other.failed

    def lines(self, first: int, wall_seconds: float) -> Iterator[str]:
        """Say it in words."""
        struck, crashes = self.faults.total(), sum(self.faults[kind] for kind in CRASHES)
        yield f"{self.seeds:,} seeds from {first} on, {self.simulated_seconds:,.0f} simulated seconds"
        yield f"{60 * self.seeds / max(wall_seconds, 0.001):,.0f} seeds per minute"
        yield f"faults that struck: {struck:,}, of which in an open transaction: {self.in_transaction.total():,}"
        for kind in Kind:
            yield f"  {kind:35} {self.faults[kind]:>9,} {self.in_transaction[kind]:>9,}"
        yield f"crashes: {crashes:,}, of which in an open transaction: {sum(self.in_transaction[k] for k in CRASHES):,}"
        shown = {**versions(), "greenlet": version("greenlet"), "Python": platform.python_version()}
        yield ", ".join(f"{name} {number}" for name, number in shown.items())
        if self.failed:
            yield f"VIOLATIONS in {len(self.failed)} seeds: {', '.join(map(str, sorted(self.failed)[:20]))}"
        else:
            yield (
                f"no violation in {self.seeds:,} seeds and {struck:,} faults: with 95 % confidence fewer than"
                f" {3 / self.seeds:.1e} of such seeds, and {3 / max(struck, 1):.1e} of such faults, cause one"
            )
