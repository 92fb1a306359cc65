"""Computes the next versions of links: pure functions of the link files and the published versions.

They may be called again after another author has published; no version is then published twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from actions.ids import looks_of
from actions.link import MAX_SLOTS, Action, Link, LinkStatus, url_of
from consumer.links.desired import DesiredAction, DesiredLink
from consumer.links.history import Histories, History, TakenSlot
from consumer.links.link_reference import LinkReference
from runtime.authoring.diagnostic import Diagnostic, InvalidFiles
from runtime.errors import UsageError
from schemas.definition_key import MAX_VERSION

MAX_LIFETIME_ACTIONS = 1000
"""Maximum number of actions over the lifetime of a link, removed ones included: a dedupe entry has a bit for each."""

FIRST_EPOCH = 0


_NOTHING_READABLE = "none of its published versions can be read; publish it from its link file"
_NO_VERSION_LEFT = f"its published version {MAX_VERSION} is the highest possible; create a link with another id"


_LOOKS_LIKE_LINK = (
    "a published link has an id that looks the same but has other characters, so clicks on that one would "
    "not find this one; copy its id from link-actions links list --json, or give this link an id that looks different"
)


class Change(StrEnum):
    """The effect of publishing on a link."""

    CREATED = "created"
    CHANGED = "changed"
    RESTORED = "restored"
    RESET = "reset"
    DELETED = "deleted"
    REPAIRED = "repaired"
    """The newest version was unreadable for every program; this one replaces it."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class NextVersion:
    """The newest version of a link, published already if `change` is UNCHANGED.

    `before` is the previous readable version; `known_actions` are the ids of all actions that the link had before. Both
    are empty if `change` is CREATED or UNCHANGED.
    """

    change: Change
    link: Link
    before: Link | None = None
    known_actions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who publishes, and when, in milliseconds since 1970 UTC."""

    defined_by: str
    defined_at: int


def next_versions(desired: Iterable[DesiredLink], histories: Histories, authorship: Authorship) -> list[NextVersion]:
    """Compute the next version of each link. Raises InvalidFiles with all conflicts with published versions."""
    desired = list(desired)
    conflicts = [conflict for link in desired for conflict in _conflicts(link, histories)]
    if conflicts:
        raise InvalidFiles(conflicts)
    return [_next_version(link, histories, authorship) for link in desired]


def next_resets(
    targets: Mapping[LinkReference, int], histories: Histories, authorship: Authorship
) -> list[NextVersion]:
    """Compute a version in at least the target epoch; a link that has reached it does not change."""
    known = require_published(targets, histories)
    return [_next_reset(history, targets[reference], authorship) for reference, history in known.items()]


def next_epochs(references: Iterable[LinkReference], histories: Histories) -> dict[LinkReference, int]:
    """Return the epoch of each link after a reset. Raises UsageError for links that cannot be reset."""
    known = require_published(references, histories)
    return {reference: history.newest.epoch + 1 for reference, history in known.items()}


def next_deletions(
    references: Iterable[LinkReference], histories: Histories, authorship: Authorship
) -> list[NextVersion]:
    """For each link, compute a version marked as deleted that keeps its actions. Raises UsageError if unpublished."""
    known = require_published(references, histories)
    return [_next_deletion(history, authorship) for history in known.values()]


def require_published(references: Iterable[LinkReference], histories: Histories) -> dict[LinkReference, History]:
    """Return the history of each link, once. Raises UsageError that names all missing and unreadable links."""
    references = list(dict.fromkeys(references))
    problems = [f"{reference}: {problem}" for reference in references if (problem := _problem(reference, histories))]
    if problems:
        raise UsageError("\n  ".join(["nothing was changed:", *problems]) if len(problems) > 1 else problems[0])
    return {reference: histories.links[reference] for reference in references}


def _problem(reference: LinkReference, histories: Histories) -> str | None:
    if reference in histories.unreadable:
        return histories.unreadable[reference]
    if reference not in histories.links:
        known = histories.highest(reference)
        return _NOTHING_READABLE if known else "no such link is published; run link-actions links list --all"
    return _NO_VERSION_LEFT if histories.highest(reference) >= MAX_VERSION else None


def _next_version(desired: DesiredLink, histories: Histories, authorship: Authorship) -> NextVersion:
    history = histories.links.get(desired.reference)
    slots = _slots(desired.actions, history.slots if history else {})
    link = Link(
        tenant_id=desired.reference.tenant_id,
        link_id=desired.reference.link_id,
        version=history.newest.version if history else histories.highest(desired.reference) + 1,
        epoch=history.newest.epoch if history else FIRST_EPOCH,
        status=LinkStatus.ACTIVE,
        name=desired.name,
        url=url_of(desired.response),
        response=desired.response,
        actions=tuple(_action(action, slots[action.action_id]) for action in desired.actions),
        defined_at=history.newest.defined_at if history else authorship.defined_at,
        defined_by=history.newest.defined_by if history else authorship.defined_by,
    )
    if history is None:
        return NextVersion(Change.CREATED, link)
    if link == history.newest and history.in_force:
        return NextVersion(Change.UNCHANGED, link)
    return _successor(link, history, _change(history), authorship)


def _change(history: History) -> Change:
    if not history.in_force:
        return Change.REPAIRED
    return Change.RESTORED if history.newest.status is LinkStatus.DELETED else Change.CHANGED


def _next_reset(history: History, epoch: int, authorship: Authorship) -> NextVersion:
    if history.newest.epoch >= epoch:
        return NextVersion(Change.UNCHANGED, history.newest)
    return _successor(replace(history.newest, epoch=epoch), history, Change.RESET, authorship)


def _next_deletion(history: History, authorship: Authorship) -> NextVersion:
    if history.newest.status is LinkStatus.DELETED and history.in_force:
        return NextVersion(Change.UNCHANGED, history.newest)
    return _successor(replace(history.newest, status=LinkStatus.DELETED), history, Change.DELETED, authorship)


def _successor(link: Link, history: History, change: Change, authorship: Authorship) -> NextVersion:
    """Number the version after all published ones, so that a number never refers to two versions."""
    version = history.highest + 1
    signed = replace(link, version=version, defined_at=authorship.defined_at, defined_by=authorship.defined_by)
    return NextVersion(change, signed, history.newest, frozenset(history.slots))


def _slots(actions: Iterable[DesiredAction], taken: Mapping[str, TakenSlot]) -> dict[str, int]:
    """Return the slot of each action id: its old one, also if it was removed and is back, or one never used."""
    slots = {action_id: slot.slot for action_id, slot in taken.items()}
    for action in actions:
        slots.setdefault(action.action_id, max(slots.values(), default=-1) + 1)
    return slots


def _action(desired: DesiredAction, slot: int) -> Action:
    return Action(desired.action_id, slot, desired.repeat, desired.kind, desired.parameters, desired.guard)


def _conflicts(desired: DesiredLink, histories: Histories) -> Iterator[Diagnostic]:
    subject = f"link {desired.reference.link_id}"
    if desired.reference in histories.unreadable:
        yield Diagnostic(desired.location, subject, histories.unreadable[desired.reference])
        return
    if histories.highest(desired.reference) >= MAX_VERSION:
        yield Diagnostic(desired.location, subject, _NO_VERSION_LEFT)
    history = histories.links.get(desired.reference)
    if history is None:
        yield from (
            Diagnostic(desired.location, subject, _LOOKS_LIKE_LINK) for _ in histories.alike(desired.reference)[:1]
        )
    taken = history.slots if history else {}
    slots = _slots(desired.actions, taken)
    if len(slots) > MAX_LIFETIME_ACTIONS or max(slots.values(), default=0) >= MAX_SLOTS:
        message = f"this version would give it more than {MAX_LIFETIME_ACTIONS} actions in its life; create a new link"
        yield Diagnostic(desired.location, subject, message)
    for action in desired.actions:
        yield from _reused(subject, action, taken.get(action.action_id))
        yield from _looking_like_another(subject, action, taken)


def _reused(subject: str, action: DesiredAction, taken: TakenSlot | None) -> Iterator[Diagnostic]:
    if taken is None or taken.kind == action.kind.name:
        return
    message = (
        f"this id was published with the kind {taken.kind}; a recipient who already got that action would never get "
        f"this {action.kind.name}; give the action another id"
    )
    yield Diagnostic(action.location, f"{subject}, action {action.action_id}", message)


def _looking_like_another(subject: str, action: DesiredAction, taken: Mapping[str, TakenSlot]) -> Iterator[Diagnostic]:
    if action.action_id in taken or not any(looks_of(other) == looks_of(action.action_id) for other in taken):
        return
    message = (
        "an action of the published link has an id that looks the same but has other characters; a recipient who "
        "already got that action would get this one, too; copy its id from link-actions links show --json, or give the "
        "action an id that looks different"
    )
    yield Diagnostic(action.location, f"{subject}, action {action.action_id}", message)
