"""Output of links and their diagnostics: tables for people, one JSON object per line for programs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from actions.guard import Guard
from actions.link import Action, Link
from cli.output import complain, say, say_json
from cli.table import print_table
from consumer.links.difference import differences_of, meanings_of
from consumer.links.link_files import CheckedLinks
from consumer.links.link_reference import LinkReference
from consumer.links.listing import describe_repeat, link_as_json
from consumer.links.published import UnreadableVersion, WithdrawnVersion
from consumer.links.versioning import Change, NextVersion
from runtime.authoring.diagnostic import Diagnostic
from runtime.terminal.text import counted


def echo_json(data: Any) -> None:
    """Write one value in one line."""
    say_json(data)


def show_mistakes(mistakes: Iterable[Diagnostic]) -> None:
    """Write each mistake, warning or note as a JSON object."""
    for mistake in mistakes:
        echo_json(
            {
                "file": mistake.location.file,
                "line": mistake.location.line,
                "column": mistake.location.column,
                "severity": mistake.severity.value,
                "subject": mistake.subject,
                "sentence": mistake.sentence,
            }
        )


def show_warnings(warnings: Sequence[Diagnostic], *, as_json: bool) -> None:
    """Write warnings to standard error, or as JSON objects."""
    if as_json:
        show_mistakes(warnings)
        return
    for warning in warnings:
        complain(str(warning))


def show_notes(notes: Sequence[Diagnostic], *, as_json: bool) -> None:
    """Write notes to standard output, or as JSON objects."""
    if as_json:
        show_mistakes(notes)
        return
    for note in notes:
        say(str(note))


def show_checked(checked: CheckedLinks) -> None:
    """Print how many files, links and actions were checked."""
    links = checked.links
    files = len({link.location.file for link in links})
    actions = sum(len(link.actions) for link in links)
    warned = f", {counted(len(checked.warnings), 'warning')}" if checked.warnings else ""
    say(f"no mistakes{warned}: {counted(files, 'file')}, {counted(len(links), 'link')}, {counted(actions, 'action')}")


def show_changes(versions: Sequence[NextVersion], *, as_json: bool) -> None:
    """Show how each link changed, or would change."""
    if as_json:
        for each in versions:
            echo_json({"change": each.change.value, **link_as_json(each.link)})
        return
    changed = [each for each in versions if each.change is not Change.UNCHANGED]
    if changed:
        rows = [(each.change.value, _name(each.link), *_numbers(each.link), _kinds(each.link)) for each in changed]
        print_table(("change", "link", "version", "epoch", "actions"), rows)
    counts = Counter(each.change for each in versions)
    say(", ".join(f"{counts[change]} {change.value}" for change in Change if counts[change]) or "no links")


def show_preview(versions: Sequence[NextVersion], *, as_json: bool) -> None:
    """Show how each link would change, and the consequences for people."""
    if as_json:
        for each in versions:
            reasons = {"differences": list(differences_of(each)), "meaning": list(meanings_of(each))}
            echo_json({"change": each.change.value, **link_as_json(each.link), **reasons})
        return
    show_changes(versions, as_json=False)
    for line in preview_lines(versions):
        say(line)


def preview_lines(versions: Sequence[NextVersion]) -> Iterator[str]:
    """Yield the differences of each link and their consequences."""
    for each in versions:
        lines = [*(f"  {line}" for line in differences_of(each)), *(f"  => {line}" for line in meanings_of(each))]
        if lines:
            yield f"{_name(each.link)} version {each.link.version}:"
            yield from lines


def show_links(links: Iterable[Link | UnreadableVersion | WithdrawnVersion], *, as_json: bool) -> None:
    """Show one line per link."""
    rows = []
    for link in links:
        if not isinstance(link, Link):
            warn_of_versions([link])
        elif as_json:
            echo_json(link_as_json(link))
        else:
            rows.append((_name(link), link.status.value, *_numbers(link), str(len(link.actions)), link.name))
    if not as_json:
        print_table(("link", "status", "version", "epoch", "actions", "name"), rows)
        say(counted(len(rows), "link"))


def show_link(link: Link, *, as_json: bool) -> None:
    """Show one version in full."""
    described = link_as_json(link)
    if as_json:
        echo_json(described)
        return
    say(f"{link.tenant_id}/{link.link_id}")
    for fact in ("version", "epoch", "status", "name", "response", "defined_at", "defined_by"):
        say(f"{fact:<12}{_words(described[fact])}")
    if link.actions:
        print_table(*_action_table(link.actions))
    else:
        say("no actions")


def _action_table(actions: Sequence[Action]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return heading and rows; guards have a column if an action has one."""
    guarded = any(action.guard is not Guard.NONE for action in actions)
    heading = ("action", "slot", "kind", "repeat", *(["guard"] if guarded else []), "parameters")
    rows = [
        (
            action.action_id,
            str(action.slot),
            action.kind.name,
            _words(describe_repeat(action.repeat)),
            *([action.guard.value] if guarded else []),
            _words(action.parameters.model_dump(exclude_none=True), ", "),
        )
        for action in actions
    ]
    return heading, list(rows)


def warn_of_versions(versions: Iterable[UnreadableVersion | WithdrawnVersion]) -> None:
    """Warn of unreadable and withdrawn versions on standard error."""
    for version in versions:
        subject = f"warn: {version.reference} version {version.version}"
        if isinstance(version, UnreadableVersion):
            complain(f"{subject} cannot be read ({version.reason}); {version.remedy}")
        else:
            complain(f"{subject} was withdrawn: its record has no value, so the version counts as never published")


def _name(link: Link) -> str:
    return str(LinkReference(link.tenant_id, link.link_id))


def _numbers(link: Link) -> tuple[str, str]:
    return str(link.version), str(link.epoch)


def _kinds(link: Link) -> str:
    return ", ".join(action.kind.name for action in link.actions) or "none"


def _words(value: Any, separator: str = " ") -> str:
    if isinstance(value, dict):
        return separator.join(f"{name}: {_words(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return f"[{', '.join(map(_words, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
