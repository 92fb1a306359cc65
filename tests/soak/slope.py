"""Trend of a figure over time: Theil-Sen, the median of the slopes between all pairs of samples.

Spikes, as faults make them, do not move it: up to 29 % of the samples may be anything. One regression by least squares
over a restarted broker would show a slope that is no leak.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_SAMPLES = 20
"""Fewer say nothing about a slope."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Allowed rise of a figure: `at_least` for noise, or `an_hour` per hour if that is more."""

    figure: str
    unit: str
    at_least: float
    an_hour: float

    def allowed(self, seconds: float) -> float:
        """Return how far it may rise in that time."""
        return max(self.at_least, self.an_hour * seconds / 3600)


@dataclass(frozen=True, slots=True)
class Trend:
    """The rise of a figure over its samples, by its slope, and the allowed rise."""

    name: str
    bound: Bound
    median: float
    rise: float
    seconds: float

    @property
    def is_flat(self) -> bool:
        """True if it rose no more than allowed."""
        return self.rise <= self.bound.allowed(self.seconds)

    def __str__(self) -> str:
        allowed, unit = self.bound.allowed(self.seconds), self.bound.unit
        result = "flat" if self.is_flat else "GROWS"
        return (
            f"{self.bound.figure:22} {self.name:8} {self.seconds / 60:5.1f} min  median {self.median:8.1f} {unit:3}"
            f"  rise {self.rise:+8.2f}  allowed {allowed:6.1f}  {result}"
        )


def trend(name: str, bound: Bound, points: Sequence[tuple[float, float]]) -> Trend | None:
    """Return the trend of samples (seconds, figure); None if there are too few."""
    if len(points) < MIN_SAMPLES:
        return None
    seconds, figures = np.array(points).T
    first, second = np.triu_indices(len(points), k=1)
    slopes = (figures[second] - figures[first]) / (seconds[second] - seconds[first])
    span = float(seconds[-1] - seconds[0])
    return Trend(name, bound, float(np.median(figures)), float(np.median(slopes)) * span, span)
