"""Rule 7: every record of the input ends in exactly one count."""

from collections import Counter
from collections.abc import Iterable, Mapping

Metrics = Mapping[tuple[str, ...], float]
CONSUMED = ("records_consumed_total",)
OUTCOMES = ("applied", "duplicate", "without_actions", "not_applicable", "test", "rerouted", "dead_lettered")


def uneven(name: str, metrics: Metrics) -> list[str]:
    """Return a sentence if a worker's outcomes do not add up to the records it consumed."""
    consumed, outcomes = metrics.get(CONSUMED, 0), outcomes_of([metrics]).total()
    return [] if consumed == outcomes else [f"worker {name} consumed {consumed:g} records and counts {outcomes:g}"]


def outcomes_of(all_metrics: Iterable[Metrics]) -> Counter[str]:
    """Return how many records all these workers count for each outcome."""
    total: Counter[str] = Counter()
    for metrics in all_metrics:
        total.update({outcome: int(metrics.get(("clicks_total", outcome), 0)) for outcome in OUTCOMES})
    return total


def miscounted(counted: Counter[str], expected: Counter[str]) -> list[str]:
    """Return a sentence for each outcome of which the workers counted another number than there is."""
    return [
        f"the workers count {counted[outcome]} {outcome}, and there are {expected[outcome]}"
        for outcome in sorted(counted.keys() | expected.keys())
        if counted[outcome] != expected[outcome]
    ]
