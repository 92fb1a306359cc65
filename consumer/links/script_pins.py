"""The scripts that links run: unknown ones, conflicts with other actions, and the version that a link pins."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from actions.script import RunScript
from consumer.links.desired import DesiredAction, DesiredLink
from runtime.authoring.diagnostic import Diagnostic, Severity


@dataclass(frozen=True, slots=True)
class KnownScript:
    """The kinds that a script may emit, and its published versions, ascending: none for one that is only in a file."""

    emits: frozenset[str]
    versions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownScripts:
    """The scripts that links may run, by tenant and id; `missing` says of any other what is wrong and what to do."""

    scripts: Mapping[tuple[str, str], KnownScript]
    missing: str


def runs_scripts(links: Iterable[DesiredLink]) -> bool:
    """Return whether a link has an action of the kind script."""
    return any(isinstance(action.parameters, RunScript) for link in links for action in link.actions)


def pin_scripts(links: Iterable[DesiredLink], known: KnownScripts) -> tuple[list[DesiredLink], list[Diagnostic]]:
    """Return the links with the newest version of each script filled in, and mistakes and warnings about scripts.

    A version that the author has written stays.
    """
    found = list(links)
    mistakes = [mistake for link in found for mistake in _mistakes(link, known)]
    return [_pinned(link, known) for link in found], mistakes


def _pinned(link: DesiredLink, known: KnownScripts) -> DesiredLink:
    return replace(link, actions=tuple(_pinned_action(link, action, known) for action in link.actions))


def _pinned_action(link: DesiredLink, action: DesiredAction, known: KnownScripts) -> DesiredAction:
    parameters = action.parameters
    if not isinstance(parameters, RunScript) or parameters.script_version is not None:
        return action
    script = known.scripts.get((link.reference.tenant_id, parameters.script))
    if script is None or not script.versions:
        return action
    return replace(action, parameters=parameters.model_copy(update={"script_version": script.versions[-1]}))


def _mistakes(link: DesiredLink, known: KnownScripts) -> Iterator[Diagnostic]:
    for action in link.actions:
        if isinstance(action.parameters, RunScript):
            subject = f"link {link.reference.link_id}, action {action.action_id}"
            script = known.scripts.get((link.reference.tenant_id, action.parameters.script))
            if script is None:
                yield Diagnostic(action.location, subject, f"the script {action.parameters.script} {known.missing}")
            else:
                yield from _wrong_version(subject, action, action.parameters, script)
                yield from _conflicts(subject, action, script, link.actions)


def _wrong_version(
    subject: str, action: DesiredAction, parameters: RunScript, script: KnownScript
) -> Iterator[Diagnostic]:
    written = parameters.script_version
    if written is not None and script.versions and written not in script.versions:
        newest = f"its newest is {script.versions[-1]}"
        sentence = f"the script {parameters.script} has no version {written}; {newest}, or leave script_version out"
        yield Diagnostic(action.location, subject, sentence)


def _conflicts(
    subject: str, action: DesiredAction, script: KnownScript, actions: Sequence[DesiredAction]
) -> Iterator[Diagnostic]:
    """Yield a warning for each action that changes something which the script may change, too."""
    for other in actions:
        changed = other.kind.changes(other.parameters)
        if changed is not None and other.kind.name in script.emits:
            sentence = (
                f"its script may emit {other.kind.name}, and the action {other.action_id} in line "
                f"{other.location.line} changes {changed}; see that they do not contradict each other, or remove "
                f"{other.kind.name} from the emits of the script"
            )
            yield Diagnostic(action.location, subject, sentence, Severity.WARNING)
