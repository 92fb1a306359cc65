"""Prints the result for a terminal of 100 columns."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumer.demo.example_person import ExampleClick, ExamplePerson
from consumer.demo.findings import Findings
from consumer.demo.summary import Summary, dead_letters_by_reason

UPDATE_WIDTH = 48
LEFT_ALIGNED = frozenset((
    "", "outcome", "meaning", "kind of action", "clicked", "link", "mailing or flow", "updates for the CRM",
))  # fmt: skip
MEANINGS = {
    "applied": "at least one action applied",
    "duplicate": "applied before: a second click, another mailing, a retry",
    "without_actions": "the link has no actions, or no definition",
    "not_applicable": "the CRM knows no person behind the address",
    "test": "test clicks neither apply nor count",
    "rerouted": "in a wrong partition; rerouted to the right one",
    "dead_lettered": "broken records, kept unchanged with a reason",
}


def print_report(console: Console, summary: Summary, person: ExamplePerson | None) -> None:
    """Print the whole report, its conclusion last."""
    findings = summary.findings
    parts = [_outcomes(findings), _updates(findings), _dead_letters(findings), _check(findings)]
    if person is not None:
        parts.insert(-1, _example(person))
    for part in parts:
        console.print()
        console.print(part)
    console.print()
    for line in conclusion(summary):
        console.print(line)


def conclusion(summary: Summary) -> Iterator[Text]:
    """Yield the last lines: aborted updates, what was not shown, and the result of the check."""
    findings, comparison = summary.findings, summary.findings.comparison
    if findings.never_committed:
        yield Text(
            f"{findings.never_committed:,} more updates are in the log from an aborted transaction, which no subscriber"
            " sees."
        )
    for sentence in summary.not_shown:
        yield Text(f"Not shown: {sentence}", style="yellow")
    plain = f"{len(comparison.missing)} missing, {len(comparison.doubled)} doubled"
    counted = f"{comparison.expected:,} updates expected, {comparison.seen:,} seen: {plain}."
    if findings.is_exact:
        yield Text(f"{counted} Exactly once.", style="bold green")
    else:
        yield Text(f"{counted} NOT EXACT.", style="bold red")
        yield from map(Text, _faults(findings))


def _faults(findings: Findings) -> Iterator[str]:
    if not findings.comparison.is_exact:
        yield f"updates: {findings.comparison}"
    if findings.lost:
        yield f"clicks: {findings.lost} of the records sent are not in the topic"
    if findings.lost_by_edge:
        yield f"clicks: {findings.lost_by_edge} that the edge answered are not in the topic"
    for reason, _ in (findings.dead_letters_expected - findings.dead_letters_seen).elements():
        yield f"dead letters: one with the reason {reason} is missing"
    for reason, _ in (findings.dead_letters_seen - findings.dead_letters_expected).elements():
        yield f"dead letters: one with the reason {reason} was not expected"
    if findings.wrong_hits:
        yield f"hits: {findings.wrong_hits} links have wrong counts"


def _outcomes(findings: Findings) -> RenderableType:
    table = _table("outcome", "records", "meaning")
    for outcome, meaning in MEANINGS.items():
        table.add_row(outcome.replace("_", " "), f"{findings.outcomes.get(outcome, 0):,}", meaning)
    table.add_row("total", f"{findings.records:,}", "", style="bold")
    return _titled("Clicks by outcome", table)


def _updates(findings: Findings) -> RenderableType:
    table = _table("kind of action", "updates", "duplicates", "person or company unknown")
    for kind, seen in findings.updates_by_kind.items():
        unknown = sum(findings.actions.get((kind, outcome), 0) for outcome in ("no_person", "no_company"))
        table.add_row(kind, f"{seen:,}", f"{findings.actions.get((kind, 'duplicate'), 0):,}", f"{unknown:,}")
    table.add_row("total", f"{sum(findings.updates_by_kind.values()):,}", style="bold")
    return _titled("Updates by kind of action", table)


def _dead_letters(findings: Findings) -> RenderableType:
    reasons = sorted(dead_letters_by_reason(findings).items())
    return _titled("Dead letters by reason", Text(", ".join(f"{reason} {count}" for reason, count in reasons)))


def _example(person: ExamplePerson) -> RenderableType:
    cards = [
        f"{card} {number}" for card, number in (("person", person.person_id), ("company", person.company_id)) if number
    ]
    title = f"The clicks of one recipient, {person.recipient_id}" + (f" ({', '.join(cards)})" if cards else "")
    table = _table("clicked", "link", "mailing or flow", "updates for the CRM")
    for click in person.clicks:
        table.add_row(_time(click.clicked_at_ms), click.link_id, click.through, _updates_of(click))
    return _titled(title, table)


def _updates_of(click: ExampleClick) -> Text:
    lines = [Text(_shortened(update)) for update in click.updates]
    if click.remark:
        lines.append(Text(f"({click.remark})" if lines else f"none: {click.remark}", style="dim"))
    return Text("\n").join(lines)


def _shortened(text: str) -> str:
    return text[: UPDATE_WIDTH - 1] + "…" if len(text) > UPDATE_WIDTH else text


def _check(findings: Findings) -> RenderableType:
    comparison, wanted, letters = findings.comparison, findings.dead_letters_expected, findings.dead_letters_seen
    wrong = len(comparison.unexpected) + len(comparison.differing) + len(comparison.out_of_order)
    hits, hits_seen = (
        sum(clicks for _, clicks, _ in hits.values()) for hits in (findings.hits_expected, findings.hits_seen)
    )
    rows: dict[str, tuple[int, ...]] = {
        "updates": (comparison.expected, comparison.seen, len(comparison.missing), len(comparison.doubled), wrong),
        "dead letters": (
            wanted.total(), letters.total(), findings.missing_dead_letters, findings.surplus_dead_letters, 0,
        ),
        "hits of links": (hits, hits_seen, max(hits - hits_seen, 0), max(hits_seen - hits, 0), findings.wrong_hits),
    }  # fmt: skip
    table = _table("", "expected", "seen", "missing", "doubled", "wrong")
    for name, numbers in rows.items():
        table.add_row(name, *(f"{number:,}" for number in numbers))
    return _titled("The check: an independent reader (read_committed) against a reference model", table)


def _titled(title: str, content: RenderableType) -> RenderableType:
    return Group(Text(title, style="bold"), content)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, justify="left" if column in LEFT_ALIGNED else "right")
    return table


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%a %d %H:%M:%S}"
