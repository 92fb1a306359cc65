"""Finds duplicate and contradictory actions of a link."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from actions.ids import looks_of
from consumer.links.desired import DesiredAction
from runtime.authoring.diagnostic import Diagnostic


def find_conflicts(link: str, actions: Sequence[DesiredAction]) -> Iterator[Diagnostic]:
    """Yield a mistake for each conflicting pair, at the location of the later action."""
    for earlier, later in combinations(actions, 2):
        sentence = _same_id(earlier, later) or _same_action(earlier, later) or _contradiction(earlier, later)
        if sentence:
            subject = f"link {link}, action {later.action_id}"
            yield Diagnostic(later.location, subject, sentence)


def _same_id(earlier: DesiredAction, later: DesiredAction) -> str | None:
    if looks_of(earlier.action_id) != looks_of(later.action_id):
        return None
    if earlier.action_id != later.action_id:
        return (
            f"its id looks the same as that of the action in line {earlier.location.line} but has other characters; "
            "give each action its own id"
        )
    return f"the action in line {earlier.location.line} has the same id; give each action its own id"


def _same_action(earlier: DesiredAction, later: DesiredAction) -> str | None:
    if earlier.kind.name != later.kind.name or _seen(earlier) != _seen(later):
        return None
    return f"it does the same as the action {earlier.action_id} in line {earlier.location.line}; keep one of them"


def _contradiction(earlier: DesiredAction, later: DesiredAction) -> str | None:
    changed = later.kind.changes(later.parameters)
    other = earlier.kind.changes(earlier.parameters)
    if earlier.kind.name != later.kind.name or changed is None or other is None or looks_of(changed) != looks_of(other):
        return None
    before, after = earlier.parameters.model_dump(), later.parameters.model_dump()
    differences = " and ".join(
        f"{name} {before[name]!r} and {after[name]!r}" for name in before if before[name] != after[name]
    )
    return (
        f"it contradicts the action {earlier.action_id} in line {earlier.location.line}: "
        f"both change {changed}, with {differences}; keep one of them"
    )


def _seen(action: DesiredAction) -> dict[str, Any]:
    parameters = action.parameters.model_dump()
    return {name: looks_of(value) if isinstance(value, str) else value for name, value in parameters.items()}
