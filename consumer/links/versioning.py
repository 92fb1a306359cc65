"""The next versions: pure functions of what is wanted and what has been published.

They may be asked again after somebody else published something; each asks for nothing twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from actions.ids import looks_of
from actions.link import MOST_SLOTS, Action, Link, LinkStatus, url_of
from consumer.errors import UsageError
from consumer.links.desired import DesiredAction, DesiredLink
from consumer.links.diagnostic import Diagnostic, InvalidLinkFiles
from consumer.links.history import Histories, History, TakenSlot
from consumer.links.link_reference import LinkReference
from schemas.definition_key import LARGEST_VERSION

MOST_ACTIONS = 1000
"""How many actions a link may have had in all: the memory of each person who clicked has a bit for each."""

FIRST_EPOCH = 0


_NOTHING_READABLE = "none of its published versions can be read; publish it from its link file"
_NO_VERSION_LEFT = f"its published version {LARGEST_VERSION} is the highest there can be; make a link with another id"


_LOOKS_LIKE_LINK = (
    "a published link has an id that looks the same and is written with other characters, so clicks on that one would "
    "not see this; copy its id from link-actions links list --json, or give this link an id that looks different"
)


class Change(StrEnum):
    """What publishing does to a link."""

    CREATED = "created"
    CHANGED = "changed"
    RESTORED = "restored"
    RESET = "reset"
    DELETED = "deleted"
    REPAIRED = "repaired"
    """The newest version could not be read by any program; this one takes its place."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class NextVersion:
    """A link's newest version, and whether it is still to be published.

    `before` is the readable version that it follows, `known_actions` are the ids of all actions that the link ever had.
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


def next_versions(wanted: Iterable[DesiredLink], histories: Histories, authorship: Authorship) -> list[NextVersion]:
    """Plan the next version of each link. Raises InvalidLinkFiles with all that contradicts what is published."""
    wanted = list(wanted)
    mistakes = [mistake for link in wanted for mistake in _contradictions(link, histories)]
    if mistakes:
        raise InvalidLinkFiles(mistakes)
    return [_next_version(link, histories, authorship) for link in wanted]


def next_resets(
    targets: Mapping[LinkReference, int], histories: Histories, authorship: Authorship
) -> list[NextVersion]:
    """Plan a version in at least the target epoch for each link; one that got there meanwhile stays as it is."""
    known = require_published(targets, histories)
    return [_next_reset(history, targets[reference], authorship) for reference, history in known.items()]


def next_epochs(references: Iterable[LinkReference], histories: Histories) -> dict[LinkReference, int]:
    """Return the epoch that a reset leads each link to. Raises UsageError for links that cannot be reset."""
    known = require_published(references, histories)
    return {reference: history.newest.epoch + 1 for reference, history in known.items()}


def next_deletions(
    references: Iterable[LinkReference], histories: Histories, authorship: Authorship
) -> list[NextVersion]:
    """Plan a deleted version of each link, with its actions kept. Raises UsageError for links nobody published."""
    known = require_published(references, histories)
    return [_next_deletion(history, authorship) for history in known.values()]


def require_published(references: Iterable[LinkReference], histories: Histories) -> dict[LinkReference, History]:
    """Return the history of each link, once. Raises UsageError that names all that have none or cannot be read."""
    references = list(dict.fromkeys(references))
    problems = [f"{reference}: {problem}" for reference in references if (problem := _problem(reference, histories))]
    if problems:
        raise UsageError("\n  ".join(["nothing was done:", *problems]) if len(problems) > 1 else problems[0])
    return {reference: histories.links[reference] for reference in references}


def _problem(reference: LinkReference, histories: Histories) -> str | None:
    if reference in histories.unreadable:
        return histories.unreadable[reference]
    if reference not in histories.links:
        known = histories.highest(reference)
        return _NOTHING_READABLE if known else "no such link is published; see link-actions links list --all"
    return _NO_VERSION_LEFT if histories.highest(reference) >= LARGEST_VERSION else None


def _next_version(wanted: DesiredLink, histories: Histories, authorship: Authorship) -> NextVersion:
    history = histories.links.get(wanted.reference)
    slots = _slots(wanted.actions, history.slots if history else {})
    link = Link(
        tenant_id=wanted.reference.tenant_id,
        link_id=wanted.reference.link_id,
        version=history.newest.version if history else histories.highest(wanted.reference) + 1,
        epoch=history.newest.epoch if history else FIRST_EPOCH,
        status=LinkStatus.ACTIVE,
        name=wanted.name,
        url=url_of(wanted.response),
        response=wanted.response,
        actions=tuple(_action(action, slots[action.action_id]) for action in wanted.actions),
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
    """Plan the version after every number that was published, so that no click names two versions by one number."""
    version = history.highest + 1
    signed = replace(link, version=version, defined_at=authorship.defined_at, defined_by=authorship.defined_by)
    return NextVersion(change, signed, history.newest, frozenset(history.slots))


def _slots(actions: Iterable[DesiredAction], taken: Mapping[str, TakenSlot]) -> dict[str, int]:
    """Give each action id its old slot, also when it comes back after a while, and each new one a slot never used."""
    slots = {action_id: slot.slot for action_id, slot in taken.items()}
    for action in actions:
        slots.setdefault(action.action_id, max(slots.values(), default=-1) + 1)
    return slots


def _action(wanted: DesiredAction, slot: int) -> Action:
    return Action(wanted.action_id, slot, wanted.repeat, wanted.kind, wanted.parameters)


def _contradictions(wanted: DesiredLink, histories: Histories) -> Iterator[Diagnostic]:
    subject = f"link {wanted.reference.link_id}"
    if wanted.reference in histories.unreadable:
        yield Diagnostic(wanted.place, subject, histories.unreadable[wanted.reference])
        return
    if histories.highest(wanted.reference) >= LARGEST_VERSION:
        yield Diagnostic(wanted.place, subject, _NO_VERSION_LEFT)
    history = histories.links.get(wanted.reference)
    if history is None:
        yield from (Diagnostic(wanted.place, subject, _LOOKS_LIKE_LINK) for _ in histories.alike(wanted.reference)[:1])
    taken = history.slots if history else {}
    slots = _slots(wanted.actions, taken)
    if len(slots) > MOST_ACTIONS or max(slots.values(), default=0) >= MOST_SLOTS:
        sentence = f"with this version it would have had more than {MOST_ACTIONS} actions in its life; make a new link"
        yield Diagnostic(wanted.place, subject, sentence)
    for action in wanted.actions:
        yield from _reused(subject, action, taken.get(action.action_id))
        yield from _looking_like_another(subject, action, taken)


def _reused(subject: str, action: DesiredAction, taken: TakenSlot | None) -> Iterator[Diagnostic]:
    if taken is None or taken.kind == action.kind.name:
        return
    sentence = (
        f"the published link has used this id for the kind {taken.kind}, and whoever had that would never get this "
        f"{action.kind.name}; give the action another id"
    )
    yield Diagnostic(action.place, f"{subject}, action {action.action_id}", sentence)


def _looking_like_another(subject: str, action: DesiredAction, taken: Mapping[str, TakenSlot]) -> Iterator[Diagnostic]:
    if action.action_id in taken or not any(looks_of(other) == looks_of(action.action_id) for other in taken):
        return
    sentence = (
        "an action of the published link has an id that looks the same and is written with other characters, and "
        "everyone who had that one would get this one too; copy its id from link-actions links show --json, or give "
        "the action an id that looks different"
    )
    yield Diagnostic(action.place, f"{subject}, action {action.action_id}", sentence)
