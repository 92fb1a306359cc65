"""The result of the demo, also as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from consumer.demo.crash import KilledWorker
from consumer.demo.findings import Findings


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of one run; in memory no process is killed, and `not_shown` lists what the run could not show."""

    kafka: str
    seed: int
    seconds: float
    killed: KilledWorker | None
    findings: Findings
    not_shown: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        findings, comparison = self.findings, self.findings.comparison
        return {
            "exact": findings.is_exact,
            "kafka": self.kafka,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "records": findings.records,
            "lost": findings.lost,
            "edge": {"lost": findings.lost_by_edge, "doubled": findings.doubled_by_edge},
            "clicks": dict(findings.outcomes),
            "updates": {
                "expected": comparison.expected,
                "seen": comparison.seen,
                "missing": len(comparison.missing),
                "doubled": len(comparison.doubled),
                "unexpected": len(comparison.unexpected),
                "differing": len(comparison.differing),
                "out_of_order": len(comparison.out_of_order),
                "never_committed": findings.never_committed,
                "by_kind": dict(findings.updates_by_kind),
            },
            "dead_letters": {
                "expected": findings.dead_letters_expected.total(),
                "seen": findings.dead_letters_seen.total(),
                "missing": findings.missing_dead_letters,
                "surplus": findings.surplus_dead_letters,
                "by_reason": dict(dead_letters_by_reason(findings)),
            },
            "hits": {"links": len(findings.hits_seen), "wrong": findings.wrong_hits},
            "not_shown": list(self.not_shown),
            "killed": None if self.killed is None else asdict(self.killed),
        }


def dead_letters_by_reason(findings: Findings) -> Counter[str]:
    """Count the dead letters seen by reason."""
    counts: Counter[str] = Counter()
    for (reason, _), count in findings.dead_letters_seen.items():
        counts[reason] += count
    return counts
