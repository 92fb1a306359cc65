"""The next versions: pure functions of what is wanted and what has been published.

They may be asked again after somebody else published something; each asks for nothing twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from actions.link import Action, Link, LinkStatus, url_of
from consumer.authoring.history import Histories, History, TakenSlot
from consumer.authoring.link_reference import LinkReference
from consumer.authoring.mistake import Mistake, WrongLinkFiles
from consumer.authoring.wanted import WantedAction, WantedLink
from consumer.errors import UsageError

MOST_ACTIONS = 1000
"""How many actions a link may have had in all: the memory of each person who clicked has a bit for each."""

FIRST_VERSION = 1
FIRST_EPOCH = 0


class Change(StrEnum):
    """What publishing does to a link."""

    CREATED = "created"
    CHANGED = "changed"
    RESTORED = "restored"
    RESET = "reset"
    DELETED = "deleted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class PlannedLink:
    """A link's newest version, and whether it is still to be published."""

    change: Change
    link: Link


@dataclass(frozen=True, slots=True)
class Signature:
    """Who publishes, and when, in milliseconds since 1970 UTC."""

    defined_by: str
    defined_at: int


def plan_links(wanted: Iterable[WantedLink], histories: Histories, signature: Signature) -> list[PlannedLink]:
    """Plan the version of each link in the files. Raises WrongLinkFiles with all that contradicts what is published."""
    wanted = list(wanted)
    mistakes = [mistake for link in wanted for mistake in _contradictions(link, histories)]
    if mistakes:
        raise WrongLinkFiles(mistakes)
    return [_plan_link(link, histories.links.get(link.reference), signature) for link in wanted]


def plan_resets(targets: Mapping[LinkReference, int], histories: Histories, signature: Signature) -> list[PlannedLink]:
    """Plan a version in at least the target epoch for each link; one that got there meanwhile stays as it is."""
    return [
        _next(replace(histories.links[reference].newest, epoch=epoch), Change.RESET, signature)
        if histories.links[reference].newest.epoch < epoch
        else PlannedLink(Change.UNCHANGED, histories.links[reference].newest)
        for reference, epoch in targets.items()
    ]


def next_epochs(references: Iterable[LinkReference], histories: Histories) -> dict[LinkReference, int]:
    """Return the epoch that a reset leads each link to. Raises UsageError for links that cannot be reset."""
    known = require_published(references, histories)
    return {reference: history.newest.epoch + 1 for reference, history in known.items()}


def plan_deletions(
    references: Iterable[LinkReference], histories: Histories, signature: Signature
) -> list[PlannedLink]:
    """Plan a deleted version of each link, with its actions kept. Raises UsageError for links nobody published."""
    return [
        PlannedLink(Change.UNCHANGED, history.newest)
        if history.newest.status is LinkStatus.DELETED
        else _next(replace(history.newest, status=LinkStatus.DELETED), Change.DELETED, signature)
        for history in require_published(references, histories).values()
    ]


def require_published(references: Iterable[LinkReference], histories: Histories) -> dict[LinkReference, History]:
    """Return the history of each link, once. Raises UsageError that names all that have none or cannot be read."""
    references = list(dict.fromkeys(references))
    problems = [
        f"{reference}: {histories.unreadable.get(reference, 'no such link is published; see links list --all')}"
        for reference in references
        if reference in histories.unreadable or reference not in histories.links
    ]
    if problems:
        raise UsageError("\n  ".join(["nothing was done:", *problems]) if len(problems) > 1 else problems[0])
    return {reference: histories.links[reference] for reference in references}


def _plan_link(wanted: WantedLink, history: History | None, signature: Signature) -> PlannedLink:
    slots = _slots(wanted.actions, history.slots if history else {})
    link = Link(
        tenant_id=wanted.reference.tenant_id,
        link_id=wanted.reference.link_id,
        version=history.newest.version if history else FIRST_VERSION,
        epoch=history.newest.epoch if history else FIRST_EPOCH,
        status=LinkStatus.ACTIVE,
        name=wanted.name,
        url=url_of(wanted.response),
        response=wanted.response,
        actions=tuple(_action(action, slots[action.action_id]) for action in wanted.actions),
        defined_at=history.newest.defined_at if history else signature.defined_at,
        defined_by=history.newest.defined_by if history else signature.defined_by,
    )
    if history is None:
        return PlannedLink(Change.CREATED, link)
    if link == history.newest:
        return PlannedLink(Change.UNCHANGED, link)
    was_deleted = history.newest.status is LinkStatus.DELETED
    return _next(link, Change.RESTORED if was_deleted else Change.CHANGED, signature)


def _next(link: Link, change: Change, signature: Signature) -> PlannedLink:
    signed = replace(link, version=link.version + 1, defined_at=signature.defined_at, defined_by=signature.defined_by)
    return PlannedLink(change, signed)


def _slots(actions: Iterable[WantedAction], taken: Mapping[str, TakenSlot]) -> dict[str, int]:
    """Give each action id its old slot, also when it comes back after a while, and each new one a slot never used."""
    slots = {action_id: slot.slot for action_id, slot in taken.items()}
    for action in actions:
        slots.setdefault(action.action_id, max(slots.values(), default=-1) + 1)
    return slots


def _action(wanted: WantedAction, slot: int) -> Action:
    return Action(wanted.action_id, slot, wanted.repeat, wanted.kind, wanted.parameters)


def _contradictions(wanted: WantedLink, histories: Histories) -> Iterator[Mistake]:
    subject = f"link {wanted.reference.link_id}"
    if wanted.reference in histories.unreadable:
        yield Mistake(wanted.place, subject, histories.unreadable[wanted.reference])
        return
    history = histories.links.get(wanted.reference)
    taken = history.slots if history else {}
    if len(_slots(wanted.actions, taken)) > MOST_ACTIONS:
        sentence = f"with this version it would have had more than {MOST_ACTIONS} actions in its life; make a new link"
        yield Mistake(wanted.place, subject, sentence)
    for action in wanted.actions:
        yield from _reused(subject, action, taken.get(action.action_id))


def _reused(subject: str, action: WantedAction, taken: TakenSlot | None) -> Iterator[Mistake]:
    if taken is None or taken.kind == action.kind.name:
        return
    sentence = (
        f"the published link has used this id for a {taken.kind}, and whoever had that would never get this "
        f"{action.kind.name}; give the action another id"
    )
    yield Mistake(action.place, f"{subject}, action {action.action_id}", sentence)
