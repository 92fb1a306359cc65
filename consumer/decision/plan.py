"""A version of a link, prepared so that deciding a click on it takes as little work as possible."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from actions.guard import Guard
from actions.kind import ClickFacts, LinkFacts, Need
from actions.link import Action, Link
from actions.repeat import RepeatRule
from consumer.changelog.entries import bitmap
from runtime.records.update_format import Header, UpdateFormat, cloud_event_headers, formats_of_updates, oldest_format
from schemas.bad_record import BadRecord, Reason
from schemas.click_batch import COMPANY, CONFIRMED, PERSON
from schemas.codec import encode_text
from schemas.identity import hits_digest, link_digest, update_id_prefix
from schemas.record_schema import RecordSchema
from schemas.topics import update_topic

_FLAG_OF = {Need.NOTHING: 0, Need.PERSON: PERSON, Need.COMPANY: COMPANY}


@dataclass(frozen=True, slots=True, eq=False)
class ActionPlan:
    """One action of a link, with all bytes that do not depend on the click.

    `suffix` is what follows the update id in the update's bytes; None where it must be made for each click.
    """

    action: Action
    topic: str
    headers: tuple[Header, ...]
    frame: bytes
    id_prefix: bytes
    need: int
    suffix: bytes | None
    update_format: UpdateFormat
    link: LinkFacts
    version: int
    epoch: int

    def encode_suffix(self, click: ClickFacts | None) -> bytes:
        """Encode the version, epoch, action and the kind's own fields."""
        fields = self.action.kind.fields(self.action.parameters, self.link, click)
        facts = {"link_version": self.version, "epoch": self.epoch, "action_id": self.action.action_id}
        return self.update_format.encode_suffix({**facts, **fields})


@dataclass(frozen=True, slots=True, eq=False)
class LinkPlan:
    """One version of a link.

    `simple`: every action applies once and says the same at every click, so that the entry for all of them is `full`.
    """

    link_key: bytes
    """The encoded tenant and link, as every click on it has them."""
    hits_name: bytes
    """UTF-8 `tenant_id/link_id`."""
    actions: tuple[ActionPlan, ...]
    kinds: tuple[str, ...]
    """The name of each action's kind."""
    digest: bytes
    hits_key: bytes
    epoch: int
    simple: bool
    only_confirmed: bool
    """True if every action needs a confirmed click: any other click leaves no dedupe entry and is no first click."""
    needs: int
    """Flags that a click must have for every action to apply."""
    full: bytes
    by_mailing: bool
    by_click: bool
    recipient_start: int
    """Offset of the recipient in a record key."""


class Plans(Protocol):
    """The link definitions that are known."""

    @property
    def ready(self) -> Mapping[tuple[bytes, int], LinkPlan | None]:
        """Plans by `link_key` of the click and version (NO_VERSION: the newest); None for an undefined link.

        A mapping gains plans and loses none: where one must go, this is another mapping from then on.
        """

    def find(self, link_key: bytes, version: int) -> LinkPlan | None:
        """Load the plan and return it; None for an undefined link if no version is named.

        Raises NoPlan where the version that is named is not known, or cannot be read.
        """


class NoPlan(Exception):
    """The click cannot be decided yet; `reason` says why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def find_plan(plans: Plans, link_key: bytes, version: int) -> LinkPlan | BadRecord | None:
    """Return the plan, None for an undefined link, or the reason why clicks on it are dead letters."""
    try:
        return plans.ready[link_key, version]
    except KeyError:
        pass
    try:
        return plans.find(link_key, version)
    except NoPlan as error:
        return BadRecord(error.reason, str(error))


class Planner:
    """Prepares links for the decision; knows the encoding of the updates."""

    def __init__(self, schemas: Mapping[str, RecordSchema], frames: Mapping[str, bytes], topic_prefix: str) -> None:
        """`frames` has the header bytes of each update record."""
        self._topic_prefix = topic_prefix
        self._formats = formats_of_updates(schemas, frames)

    def plan(self, link: Link) -> LinkPlan:
        """Prepare one version of a link."""
        actions = tuple(self._plan_action(link, action) for action in link.actions)
        applied = sum(1 << action.slot for action in link.actions)
        rules = {action.repeat.rule for action in link.actions}
        return LinkPlan(
            link_key=encode_text(link.tenant_id.encode()) + encode_text(link.link_id.encode()),
            hits_name=f"{link.tenant_id}/{link.link_id}".encode(),
            actions=actions,
            kinds=tuple(action.kind.name for action in link.actions),
            digest=link_digest(link.tenant_id, link.link_id, link.epoch),
            hits_key=hits_digest(link.tenant_id, link.link_id),
            epoch=link.epoch,
            simple=rules <= {RepeatRule.ONCE} and all(action.suffix is not None for action in actions),
            only_confirmed=bool(actions) and all(action.need & CONFIRMED for action in actions),
            needs=_all_needs(actions),
            full=bitmap(applied),
            by_mailing=RepeatRule.ONCE_PER_MAILING in rules,
            by_click=RepeatRule.ALWAYS in rules,
            recipient_start=len(link.tenant_id.encode()) + 1,
        )

    def _plan_action(self, link: Link, action: Action) -> ActionPlan:
        kind = action.kind
        update_format = oldest_format(self._formats[kind.update], action.parameters)
        plan = ActionPlan(
            action=action,
            topic=self._topic_prefix + update_topic(kind.name),
            headers=cloud_event_headers(link.tenant_id, kind.name),
            frame=update_format.frame,
            id_prefix=update_id_prefix(link.tenant_id, link.link_id, link.epoch, action.action_id),
            need=_needed_flags(action),
            suffix=None,
            update_format=update_format,
            link=link.facts,
            version=link.version,
            epoch=link.epoch,
        )
        if kind.per_click(action.parameters):
            return plan
        return _with_suffix(plan, plan.encode_suffix(None))


def _with_suffix(plan: ActionPlan, suffix: bytes) -> ActionPlan:
    values = {name: getattr(plan, name) for name in plan.__slots__}
    return ActionPlan(**{**values, "suffix": suffix})


def _needed_flags(action: Action) -> int:
    flag = _FLAG_OF[action.kind.needs(action.parameters)]
    return flag | CONFIRMED if action.guard is Guard.CONFIRM else flag


def _all_needs(actions: tuple[ActionPlan, ...]) -> int:
    needs = 0
    for action in actions:
        needs |= action.need
    return needs
