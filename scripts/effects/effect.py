"""The effects that a script emits, checked by the models of the kinds of action."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from actions.ids import check_id
from actions.kind import WRITTEN, ActionParameters, Kind
from runtime.authoring.error_messages import error_message

MAX_EFFECTS = 20
NOT_IN_EFFECTS = {
    "repeat": "the script's own action has the repeat rule",
    "guard": "the script's own action has the guard",
}
"""Keys of actions in link files that effects do not have, and why."""
_SCRIPT = "script"


class BadEffect(Exception):
    """An effect that is none: nothing of the run is emitted. The message may quote what the script emitted."""

    def __init__(self, sentence: str = "", path: tuple[str | int, ...] = ()) -> None:
        """`path` leads from the list of effects to the value that is wrong."""
        super().__init__(sentence)
        self.path = path


class KindNotDeclared(BadEffect):
    """An effect of a kind that is not among those which the script may emit."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect; its id is the author's, or else its position from 0."""

    effect_id: str
    kind: Kind
    parameters: ActionParameters


def read_effects(emitted: Sequence[Any], kinds: Mapping[str, Kind], emits: Collection[str]) -> list[Effect]:
    """Return the effects, in the order in which they were emitted. Raises BadEffect for the first that is none.

    `emitted` are JSON values: actions as in link files, but without `repeat` and `guard`. `emits` are the kinds that
    the script may emit.
    """
    if len(emitted) > MAX_EFFECTS:
        raise BadEffect(f"there are {len(emitted)} effects; emit at most {MAX_EFFECTS}")
    effects = [_effect(position, value, kinds, emits) for position, value in enumerate(emitted)]
    _check_ids(effects)
    return effects


def effects_as_written(effects: Sequence[Effect]) -> Iterator[dict[str, Any]]:
    """Yield each effect with all of its parameters, those that have their defaults included."""
    for position, effect in enumerate(effects):
        named = {} if effect.effect_id == str(position) else {"id": effect.effect_id}
        parameters = {name: getattr(effect.parameters, name) for name in type(effect.parameters).model_fields}
        yield {**named, "kind": effect.kind.name, **parameters}


def _effect(position: int, value: Any, kinds: Mapping[str, Kind], emits: Collection[str]) -> Effect:
    if not isinstance(value, dict):
        raise BadEffect(f"effect {position}: it is no object; emit one such as {{kind: 'interest', …}}", (position,))
    parameters = {name: each for name, each in value.items() if name not in ("id", "kind")}
    for name, reason in NOT_IN_EFFECTS.items():
        if name in parameters:
            raise BadEffect(f"effect {position}: it has a {name}; remove it, because {reason}", (position, name))
    kind = _kind(position, value.get("kind"), kinds, emits)
    try:
        checked = kind.parameters.model_validate(parameters, context=WRITTEN)
    except ValidationError as error:
        details = dict(error.errors(include_url=False)[0])
        known = kind.parameters.model_fields
        sentence = error_message(details, text=_text(details.get("input")), known_keys=known)
        path = (position, *error.errors(include_url=False)[0]["loc"])
        raise BadEffect(f"effect {position} ({kind.name}): {sentence}", path) from error
    return Effect(_effect_id(position, value.get("id")), kind, checked)


def _kind(position: int, name: Any, kinds: Mapping[str, Kind], emits: Collection[str]) -> Kind:
    if name == _SCRIPT:
        raise BadEffect(f"effect {position}: a script cannot run a script; emit another kind", (position, "kind"))
    if not isinstance(name, str) or name not in kinds:
        known = ", ".join(sorted(set(kinds) - {_SCRIPT}))
        raise BadEffect(f"effect {position}: {name!r} is not a kind of action; known are {known}", (position, "kind"))
    if name not in emits:
        sentence = f"effect {position}: the script does not declare the kind {name}; add it to its emits"
        raise KindNotDeclared(sentence, (position, "kind"))
    return kinds[name]


def _effect_id(position: int, written: Any) -> str:
    if written is None:
        return str(position)
    if not isinstance(written, str):
        raise BadEffect(f"effect {position}: its id must be text", (position, "id"))
    try:
        return check_id(written)
    except ValueError as error:
        raise BadEffect(f"effect {position}: id: {error}", (position, "id")) from error


def _check_ids(effects: Sequence[Effect]) -> None:
    seen: dict[str, int] = {}
    for position, effect in enumerate(effects):
        first = seen.setdefault(effect.effect_id, position)
        if first != position:
            sentence = f"the effects {first} and {position} have the same id {effect.effect_id!r}; change one"
            raise BadEffect(sentence, (position,))


def _text(value: Any) -> str | None:
    return None if isinstance(value, dict | list) or value is None else str(value)
