"""The shapes of traffic that are measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of the clicks of a run; the targets refer to the defaults."""

    name: str
    duplicates: float = 0.3
    """The share of clicks by a recipient that clicked the link before."""
    links: int = 1_000
    actions: int = 1
    """Number of actions of a link that has any."""
    silent: int = 0
    """One link in this many has no actions; 0 is none."""
    versions: int = 1
    """Versions of each link that the clicks name one after the other; several also change while they are clicked."""
    remembered: int = 0
    """One recipient in this many clicked long before and is in the state; 0 is none."""
    registry: bool = False
    """True if a schema registry is configured, and all records have its wire format."""


DEFAULT = "one-action"
SHAPES = {
    shape.name: shape
    for shape in (
        Shape(DEFAULT),
        Shape("duplicates", duplicates=0.95),
        Shape("three-actions", actions=3),
        Shape("half-silent", silent=2),
        Shape("one-link", links=1),
        Shape("changing", versions=5),
        Shape("registry", registry=True),
    )
}
