"""Writes effects as updates, spliced from the bytes of the update that asked for the run."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from actions.kind import ClickFacts, Kind, LinkFacts, Need
from runtime.records.bulk import Update
from runtime.records.update_format import cloud_event_headers, formats_of_updates, oldest_format
from schemas.identity import UPDATE_ID_LENGTH, effect_update_id
from schemas.record_schema import RecordSchema
from schemas.topics import update_topic
from scripts.effects.effect import BadEffect, Effect
from scripts.effects.script_update import ScriptUpdate

_NEEDED = {Need.PERSON: "person_id", Need.COMPANY: "company_id"}


@dataclass(frozen=True, slots=True)
class EffectUpdates:
    """The updates of one run, all for the partition of its script update.

    `not_applicable` counts the effects that need a person or company which is not known, by kind and need.
    """

    updates: list[Update] = field(default_factory=list)
    not_applicable: Counter[tuple[str, Need]] = field(default_factory=Counter)


class EffectWriter:
    """Writes effects of all kinds."""

    def __init__(self, schemas: Mapping[str, RecordSchema], frames: Mapping[str, bytes], topic_prefix: str) -> None:
        """`frames` has the header bytes of each update record."""
        self._topic_prefix = topic_prefix
        self._formats = formats_of_updates(schemas, frames)

    def write(self, script: ScriptUpdate, effects: Iterable[Effect]) -> EffectUpdates:
        """Return the updates in the order of the effects. Raises BadEffect for a value that no record can hold."""
        written = EffectUpdates()
        link, click = link_facts(script.record), click_facts(script.record)
        for effect in effects:
            need = effect.kind.needs(effect.parameters)
            if need in _NEEDED and script.record[_NEEDED[need]] is None:
                written.not_applicable[effect.kind.name, need] += 1
            else:
                written.updates.append(self._update(script, effect, effect.kind.fields(effect.parameters, link, click)))
        return written

    def _update(self, script: ScriptUpdate, effect: Effect, own: dict[str, Any]) -> Update:
        record, kind = script.record, effect.kind
        identifier = effect_update_id(record["update_id"], effect.effect_id).encode()
        decided = {
            "link_version": record["link_version"],
            "epoch": record["epoch"],
            "action_id": f"{record['action_id']}.{effect.effect_id}",
        }
        form = oldest_format(self._formats[kind.update], effect.parameters)
        try:
            suffix = form.encode_suffix({**decided, **own})
        except (ValueError, TypeError, OverflowError) as error:
            raise BadEffect(f"the effect {effect.effect_id} ({kind.name}) does not fit its record: {error}") from error
        value = form.frame + script.shared + UPDATE_ID_LENGTH + identifier + suffix
        return self._topic(kind), value, script.key, [*_headers(record, kind), ("ce_id", identifier)]

    def _topic(self, kind: Kind) -> str:
        return self._topic_prefix + update_topic(kind.name)


def _headers(record: Mapping[str, Any], kind: Kind) -> tuple[tuple[str, bytes], ...]:
    return cloud_event_headers(record["tenant_id"], kind.name)


def link_facts(record: Mapping[str, Any]) -> LinkFacts:
    """Return the facts about the link in a decoded `RunScript`, which does not know the link's name."""
    return LinkFacts(record["link_id"], "", record["link_url"])


def click_facts(record: Mapping[str, Any]) -> ClickFacts:
    """Return the facts about the click in a decoded `RunScript`."""
    return ClickFacts(record["mailing_id"], record["flow_id"], record["clicked_at"], record["link_hits"])
