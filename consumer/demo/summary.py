"""What the demo showed, for a program to read."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from consumer.demo.crash import Killing
from consumer.demo.findings import Findings


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of one run. `killing` is None where no process could be killed; `not_shown` says what else is not."""

    kafka: str
    seed: int
    seconds: float
    killing: Killing | None
    findings: Findings
    not_shown: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        findings, verdict = self.findings, self.findings.verdict
        return {
            "exact": findings.is_exact,
            "kafka": self.kafka,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "records": findings.records,
            "lost": findings.lost,
            "clicks": dict(findings.outcomes),
            "updates": {
                "expected": verdict.expected,
                "seen": verdict.seen,
                "missing": len(verdict.missing),
                "doubled": len(verdict.doubled),
                "unexpected": len(verdict.unexpected),
                "differing": len(verdict.differing),
                "out_of_order": len(verdict.out_of_order),
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
            "killed": None if self.killing is None else asdict(self.killing),
        }


def dead_letters_by_reason(findings: Findings) -> Counter[str]:
    """Count the dead letters that were seen."""
    counts: Counter[str] = Counter()
    for (reason, _), count in findings.dead_letters_seen.items():
        counts[reason] += count
    return counts
