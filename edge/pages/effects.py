"""Sentences that tell a person what an action does, before it is done.

The sentences of a kind are in `translations/actions/<kind>.toml`. The first of them applies whose `when` has the
action's values; each has all languages. An action without a sentence gets a general one with the name of its kind, so
a new kind needs no edit here.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from actions.kind import ClickFacts, LinkFacts
from actions.link import Action
from edge.pages.markup import Html, filled, isolated
from edge.pages.messages import TRANSLATIONS, messages_in

MAX_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Effect:
    """A sentence in its languages; `{placeholders}` are names of the update's fields."""

    when: Mapping[str, Any]
    texts: Mapping[str, str]

    def describes(self, values: Mapping[str, Any]) -> bool:
        """Return whether the sentence is about an action with these values."""
        return all(values.get(name) == value for name, value in self.when.items())


def effect_of(action: Action, link: LinkFacts, click: ClickFacts, language: str) -> Html:
    """Return one sentence with what the action will do, its names and values quoted as data."""
    values = action.parameters.model_dump() | action.kind.fields(action.parameters, link, click)
    template = _template(effects_of_kind(action.kind.name), values, language)
    if template is None:
        return filled(messages_in(language).other_action, {"kind": isolated(action.kind.name)})
    return filled(template, {name: _shown(value) for name, value in values.items()})


@cache
def effects_of_kind(kind: str) -> tuple[Effect, ...]:
    """Return the sentences of a kind, none if it has no file."""
    file = TRANSLATIONS / "actions" / f"{kind}.toml"
    if not file.is_file():
        return ()
    entries = tomllib.loads(file.read_text(encoding="utf-8"))["effect"]
    return tuple(Effect(entry.pop("when", {}), entry) for entry in entries)


def _template(effects: Iterable[Effect], values: Mapping[str, Any], language: str) -> str | None:
    return next((effect.texts.get(language) for effect in effects if effect.describes(values)), None)


def _shown(value: object) -> Html:
    text = "" if value is None else str(value)
    return isolated(text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…")
