"""Compares the next version of a link with the one in force, and explains the consequences for people."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from actions.guard import Guard
from actions.link import Action, Link
from actions.repeat import Repeat, RepeatRule
from consumer.links.listing import describe_period, link_as_json
from consumer.links.versioning import Change, NextVersion

_FACTS = ("name", "status", "epoch", "response")
_UNGUARDED = {"guard": Guard.NONE.value}
"""The guard of an action that shows none."""
_NAMED_IN_TEXT = "{link_name}"


def differences_of(next_version: NextVersion) -> Iterator[str]:
    """Yield each changed field with its old and new value."""
    if next_version.before is None:
        return
    before, after = link_as_json(next_version.before), link_as_json(next_version.link)
    yield from _changed("", {fact: before[fact] for fact in _FACTS}, {fact: after[fact] for fact in _FACTS})
    old, new = _by_id(before), _by_id(after)
    for action_id in (name for name in old if name not in new):
        yield f"action {action_id} is removed"
    for action_id, action in new.items():
        if action_id in old:
            yield from _changed(f"action {action_id}: ", _UNGUARDED | old[action_id], _UNGUARDED | action)
        else:
            yield f"action {action_id} is added: {_shown(action)}"
    if _moved(old, new):
        yield f"order of the actions: {', '.join(old)} → {', '.join(new)}"


def meanings_of(next_version: NextVersion) -> Iterator[str]:
    """Yield the consequences for people, a sentence each."""
    yield from _OF_CHANGE.get(next_version.change, _nothing)(next_version)
    if next_version.before is not None:
        yield from _of_link(next_version.before, next_version.link)
        yield from _of_actions(next_version.before, next_version)


def _of_link(before: Link, after: Link) -> Iterator[str]:
    if _asks(after) and not _asks(before):
        yield "clicks from now on show a page with a button to confirm, also from mails already sent"
    elif _asks(before) and not _asks(after):
        yield "clicks from now on show no page with a button to confirm"
    if before.response != after.response:
        yield "the next clicks get the new response, also from mails already sent"
    if before.name != after.name and any(_NAMED_IN_TEXT in str(action.parameters) for action in after.actions):
        yield f"texts with {_NAMED_IN_TEXT} use the new name from the next click on"


def _asks(link: Link) -> bool:
    return any(action.guard is Guard.CONFIRM for action in link.actions)


def _of_actions(before: Link, next_version: NextVersion) -> Iterator[str]:
    old = {action.action_id: action for action in before.actions}
    kept = {action.action_id for action in next_version.link.actions}
    for action_id in (name for name in old if name not in kept):
        yield f"action {action_id} stops with this version; updates already sent stay as they are"
    for action in next_version.link.actions:
        yield from _action(old.get(action.action_id), action, next_version)


def _nothing(_next_version: NextVersion) -> Iterator[str]:
    yield from ()


def _repaired(_next_version: NextVersion) -> Iterator[str]:
    yield "clicks on the unreadable version are dead letters; replay them with link-actions dlq replay"


def _restored(_next_version: NextVersion) -> Iterator[str]:
    yield "it is listed again"


def _reset(next_version: NextVersion) -> Iterator[str]:
    once = [action.action_id for action in next_version.link.actions if action.repeat.rule is not RepeatRule.ALWAYS]
    again = f"can apply again to everyone: {', '.join(once)}" if once else "are not affected"
    epochs = (
        f"the epoch goes from {next_version.before.epoch if next_version.before else 0} to {next_version.link.epoch}"
    )
    yield f"{epochs}: everyone who clicked counts as new, and the hits start at zero"
    yield f"its actions {again}"
    yield f"clicks that name version {next_version.link.version - 1} or earlier stay in the epoch of that version"
    yield "this cannot be undone; updates already sent stay as they are"


def _deleted(next_version: NextVersion) -> Iterator[str]:
    actions = ", ".join(action.action_id for action in next_version.link.actions)
    acting = f", and its actions continue: {actions}; to stop them, publish it without actions" if actions else ""
    yield f"it is no longer listed; it still redirects, because mails link to it{acting}"


_OF_CHANGE: Mapping[Change, Callable[[NextVersion], Iterator[str]]] = {
    Change.RESET: _reset,
    Change.DELETED: _deleted,
    Change.RESTORED: _restored,
    Change.REPAIRED: _repaired,
}


def _action(old: Action | None, new: Action, next_version: NextVersion) -> Iterator[str]:
    name = f"action {new.action_id}"
    if old is None and new.action_id in next_version.known_actions:
        yield f"{name} is back; if it applies once, people who had it before do not get it again"
    elif old is None:
        yield f"{name} is new: it also applies to people who clicked before, at their next click"
    elif old.repeat != new.repeat:
        yield f"{name}: {_repeat_changed(old.repeat, new.repeat)}"
    if old is not None and old.guard is not new.guard:
        yield f"{name}: {_GUARD_CHANGED[new.guard]}"
    if old is not None and old.parameters != new.parameters:
        keeps = "; people who had it before do not get it again" if new.repeat == Repeat() else ""
        yield f"{name} uses the new parameters from the next click on{keeps}"


_GUARD_CHANGED = {
    Guard.NONE: "every click acts again, confirmed or not",
    Guard.CONFIRM: "only clicks that a person confirms with a button act",
}


def _repeat_changed(old: Repeat, new: Repeat) -> str:
    """Say how entries remembered under the old rule count under the new one (docs/state.md)."""
    match old.rule, new.rule:
        case RepeatRule.COOLDOWN, RepeatRule.ONCE:
            return "people who had it before do not get it again"
        case _, RepeatRule.ONCE:
            return "it applies once more to everyone, at their next click"
        case _, RepeatRule.ONCE_PER_MAILING:
            return "it applies again, once in each mailing or flow run"
        case RepeatRule.ONCE | RepeatRule.COOLDOWN, RepeatRule.COOLDOWN:
            return f"it applies again once the last time is at least {describe_period(new.period_ms or 0)} ago"
        case _, RepeatRule.COOLDOWN:
            return "it applies again to everyone, at their next click, and then once per period"
    return "it applies again at every click"


def _changed(subject: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield f"{subject}{name}: {_shown(before.get(name))} → {_shown(after.get(name))}"


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return [name for name in old if name in new] != [name for name in new if name in old]


def _by_id(link: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {action["id"]: {**action, "slot": None, "id": None} for action in link["actions"]}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(each)}" for name, each in value.items() if each is not None)
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
