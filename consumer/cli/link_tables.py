"""How links look on a terminal, and as JSON for programs: one object a line."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from actions.link import Link
from consumer.authoring.link_reference import LinkReference
from consumer.authoring.listing import UnreadableVersion, describe_repeat, link_as_json
from consumer.authoring.mistake import Mistake
from consumer.authoring.plan import Change, PlannedLink
from consumer.authoring.wanted import WantedLink


def echo_json(data: Any) -> None:
    """Write one value in one line."""
    typer.echo(json.dumps(data, ensure_ascii=False))


def show_mistakes(mistakes: Iterable[Mistake]) -> None:
    """Write each mistake as an object."""
    for mistake in mistakes:
        echo_json(
            {
                "file": mistake.place.file,
                "line": mistake.place.line,
                "subject": mistake.subject,
                "sentence": mistake.sentence,
            }
        )


def show_checked(links: Sequence[WantedLink]) -> None:
    """Say how much was checked."""
    files = len({link.place.file for link in links})
    actions = sum(len(link.actions) for link in links)
    typer.echo(f"no mistakes: {_count(files, 'file')}, {_count(len(links), 'link')}, {_count(actions, 'action')}")


def show_planned(planned: Sequence[PlannedLink], *, as_json: bool) -> None:
    """Show what became, or would become, of each link."""
    if as_json:
        for each in planned:
            echo_json({"change": each.change.value, **link_as_json(each.link)})
        return
    news = [each for each in planned if each.change is not Change.UNCHANGED]
    if news:
        table = _table("change", "link", "version", "epoch", "actions")
        for each in news:
            table.add_row(each.change.value, _name(each.link), *_numbers(each.link), _kinds(each.link))
        _print(table)
    counts = Counter(each.change for each in planned)
    typer.echo(", ".join(f"{counts[change]} {change.value}" for change in Change if counts[change]) or "no links")


def show_links(links: Iterable[Link | UnreadableVersion], *, as_json: bool) -> None:
    """Show one line for each link."""
    table = _table("link", "name", "status", "version", "epoch", "actions")
    for link in links:
        if isinstance(link, UnreadableVersion):
            _warn_unreadable(link)
        elif as_json:
            echo_json(link_as_json(link))
        else:
            table.add_row(_name(link), Text(link.name), link.status.value, *_numbers(link), _kinds(link))
    if not as_json:
        _print(table)
        typer.echo(_count(table.row_count, "link"))


def show_link(link: Link, *, as_json: bool) -> None:
    """Show one version in full."""
    described = link_as_json(link)
    if as_json:
        echo_json(described)
        return
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name in ("version", "epoch", "status", "name", "response", "defined_at", "defined_by"):
        facts.add_row(name, Text(_words(described[name])))
    typer.echo(f"{link.tenant_id}/{link.link_id}")
    _print(facts)
    actions = _table("action", "slot", "kind", "repeat", "parameters")
    for action in link.actions:
        parameters = action.parameters.model_dump(exclude_none=True)
        repeat = _words(describe_repeat(action.repeat))
        actions.add_row(
            Text(action.action_id), str(action.slot), action.kind.name, repeat, Text(_words(parameters, ", "))
        )
    if link.actions:
        _print(actions)
    else:
        typer.echo("no actions")


def _warn_unreadable(version: UnreadableVersion) -> None:
    sentence = f"warn: {version.reference} version {version.version} cannot be read: {version.reason}"
    typer.echo(sentence, err=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        right = column in ("version", "epoch", "slot")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _print(table: Table) -> None:
    """Print for the terminal's width; for a file or a pipe as wide as it must be, so that no line is broken."""
    console = Console(highlight=False)
    console.print(table, width=None if console.is_terminal else console.measure(table).maximum, crop=False)


def _name(link: Link) -> Text:
    return Text(str(LinkReference(link.tenant_id, link.link_id)))


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


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
