"""A link as one of its published versions defines it, and that version as a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from actions.guard import Guard
from actions.kind import ActionParameters, Kind, LinkFacts
from actions.repeat import Repeat, RepeatRule
from actions.response import Redirect, Response, record_from_response, response_from_record
from schemas.identity import SEPARATOR

MAX_SLOTS = 65_536
"""Number of slots in a dedupe entry."""


class UnreadableLink(Exception):
    """A link definition that asks for something this program does not know: it is older than the author's."""


class LinkStatus(StrEnum):
    """Visibility to authors; a deleted link still redirects and acts, because the mails are out."""

    ACTIVE = "active"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a link asks for. `slot` is the action's bit in a dedupe entry, never reused within the link.

    Raises ValueError for a slot that a dedupe entry does not have.
    """

    action_id: str
    slot: int
    repeat: Repeat
    kind: Kind
    parameters: ActionParameters
    guard: Guard = Guard.NONE

    def __post_init__(self) -> None:
        if not 0 <= self.slot < MAX_SLOTS:
            raise ValueError(f"there is no slot {self.slot}")


@dataclass(frozen=True, slots=True)
class Link:
    """One version of a link. `defined_at` is in milliseconds since 1970 UTC; actions happen in their order."""

    tenant_id: str
    link_id: str
    version: int
    epoch: int
    status: LinkStatus
    name: str
    url: str | None
    response: Response
    actions: tuple[Action, ...]
    defined_at: int
    defined_by: str

    @property
    def facts(self) -> LinkFacts:
        """The facts about the link that its updates may use."""
        return LinkFacts(self.link_id, self.name, self.url)


def url_of(response: Response) -> str | None:
    """Return where the response leads; None for a text or a form."""
    return response.url if isinstance(response, Redirect) else None


def link_from_record(record: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Link:
    """Read a decoded `LinkDefined`. Raises UnreadableLink, which names the link and what is not known."""
    title = f"version {record['version']} of the link {record['tenant_id']}/{record['link_id']}"
    by_record = {kind.parameters_record: kind for kind in kinds.values()}
    try:
        return _link(record, by_record)
    except ValidationError as error:
        fields = ", ".join(str(mistake["loc"][0]) if mistake["loc"] else "whole" for mistake in error.errors())
        raise UnreadableLink(f"{title} has parameters that this program cannot read: {fields}") from error
    except (KeyError, ValueError) as error:
        raise UnreadableLink(
            f"{title} holds what this program, older than its author's, cannot read: {error}"
        ) from error


def record_from_link(link: Link) -> dict[str, Any]:
    """Return the link as a `LinkDefined`, ready for the codec.

    Fields that later schemas added are left out where they have their default, so that
    `Codec.encode_for_earlier_readers` can use the schema from before them.
    """
    return {
        "tenant_id": link.tenant_id,
        "link_id": link.link_id,
        "version": link.version,
        "epoch": link.epoch,
        "status": link.status.value,
        "name": link.name,
        "url": link.url,
        "response": record_from_response(link.response),
        "actions": [_action_record(action) for action in link.actions],
        "defined_at": link.defined_at,
        "defined_by": link.defined_by,
    }


def _link(record: Mapping[str, Any], by_record: Mapping[str, Kind]) -> Link:
    return Link(
        tenant_id=record["tenant_id"],
        link_id=record["link_id"],
        version=record["version"],
        epoch=record["epoch"],
        status=LinkStatus(record["status"]),
        name=record["name"],
        url=record["url"] or None,
        response=response_from_record(record["response"]),
        actions=_told_apart([_action(action, by_record) for action in record["actions"]]),
        defined_at=record["defined_at"],
        defined_by=record["defined_by"],
    )


def _told_apart(actions: Sequence[Action]) -> tuple[Action, ...]:
    """Return the actions. Raises ValueError if two share an id or a slot, so that one would hide the other."""
    ids = [action.action_id for action in actions]
    if len(set(ids)) < len(ids) or len({action.slot for action in actions}) < len(actions):
        raise ValueError("two of its actions have the same id or the same slot")
    if any(not action_id.strip() or SEPARATOR in action_id.encode() for action_id in ids):
        raise ValueError("the id of one of its actions is blank or holds the control character U+001F")
    return tuple(actions)


def _action(record: Mapping[str, Any], by_record: Mapping[str, Kind]) -> Action:
    name, parameters = record["parameters"]
    kind = by_record[name]
    repeat = Repeat(RepeatRule(record["repeat"]["rule"]), record["repeat"]["period_ms"])
    guard = Guard(record.get("guard", Guard.NONE))
    return Action(record["action_id"], record["slot"], repeat, kind, kind.parameters.model_validate(parameters), guard)


def _action_record(action: Action) -> dict[str, Any]:
    return {
        "action_id": action.action_id,
        "slot": action.slot,
        "repeat": {"rule": action.repeat.rule.value, "period_ms": action.repeat.period_ms},
        "parameters": (action.kind.parameters_record, action.parameters.model_dump()),
        **({} if action.guard is Guard.NONE else {"guard": action.guard.value}),
    }
