"""Metrics as data: name, type, unit, labels and help."""

from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Label:
    """A label. If all its `values` are known in advance, their series exist from the start, at 0."""

    name: str
    values: tuple[str, ...] = ()
    example: str = ""
    """Describes the values that are not known in advance."""


@dataclass(frozen=True, slots=True, eq=False)
class MetricSpec:
    """One metric; one that the supervisor exports is added to those of its workers."""

    type: ClassVar[str]
    name: str
    unit: str
    help: str
    labels: tuple[Label, ...] = ()
    exported_by: Literal["worker", "supervisor"] = "worker"

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the labels, in their order."""
        return tuple(label.name for label in self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class CounterSpec(MetricSpec):
    """A counter; its name ends in `_total`."""

    type = "counter"


@dataclass(frozen=True, slots=True, eq=False)
class GaugeSpec(MetricSpec):
    """A gauge, with the value that it has before it is set."""

    type = "gauge"
    initial: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class HistogramSpec(MetricSpec):
    """A histogram, with the upper bounds of its buckets."""

    type = "histogram"
    buckets: tuple[float, ...] = ()
