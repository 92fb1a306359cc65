"""The targets: the cost of link-actions relative to other candidates, in the same run on the same machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.measure import Cost
from bench.runner import Result
from bench.shape import DEFAULT

SUBJECT = "link-actions"
Figure = Callable[[Cost], float]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of link-actions may be at most `limit` times that of another candidate."""

    what: str
    figure: Figure
    other: str
    limit: float
    shape: str = DEFAULT

    def evaluate(self, results: Sequence[Result]) -> "Evaluation":
        """Compare round by round, because noise affects neighbouring runs alike."""
        ours, theirs = (self._figures(results, name) for name in (SUBJECT, self.other))
        return Evaluation(self, tuple(mine / their for mine, their in zip(ours, theirs, strict=False)))

    def _figures(self, results: Sequence[Result], candidate: str) -> list[float]:
        return [self.figure(each.cost) for each in results if (each.shape, each.candidate) == (self.shape, candidate)]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A target, and the ratio in each round; no ratios if one of the two was not run."""

    target: Target
    ratios: tuple[float, ...]

    @property
    def result(self) -> str:
        """Say whether the median of the rounds is within the limit."""
        if not self.ratios:
            return "not measured"
        return "met" if median(self.ratios) <= self.target.limit else "not met"


TARGETS = (
    Target("steady CPU per click", lambda cost: cost.cpu_us, "pass-through", 4.0),
    Target("steady CPU per click", lambda cost: cost.cpu_us, "kafka-streams", 0.4),
    Target("CPU per click with start", lambda cost: cost.total_cpu_us, "kafka-streams", 0.3),
    Target("steady CPU per click", lambda cost: cost.cpu_us, "floor", 2.5),
    Target("steady CPU per click", lambda cost: cost.cpu_us, "quix-streams", 0.15),
    Target("peak resident memory", lambda cost: cost.peak_mib, "kafka-streams", 0.5),
    Target("steady CPU per click", lambda cost: cost.cpu_us, "floor", 2.0, shape="duplicates"),
)
