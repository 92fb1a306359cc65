"""The result as it is printed: what happened, one person's story, and the verdict. 100 columns are enough."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from consumer.demo.example_person import Story, StoryClick
from consumer.demo.findings import Findings
from consumer.demo.summary import Summary, dead_letters_by_reason

TOLD_LENGTH = 48
MEANINGS = {
    "applied": "at least one action of the link was done",
    "duplicate": "all was done before: a second click, another mailing, a retry",
    "without_actions": "the link asks for nothing, or nobody defined it",
    "not_applicable": "no CRM person is known behind the address",
    "test": "test clicks never act and never count",
    "rerouted": "stood in a wrong partition; rerouted to the right one",
    "dead_lettered": "broken records, put aside untouched with a reason",
}


def print_report(console: Console, summary: Summary, story: Story | None) -> None:
    """Print everything, the verdict last."""
    findings = summary.findings
    parts = [_outcomes(findings), _updates(findings), _dead_letters(findings), _check(findings)]
    if story is not None:
        parts.insert(-1, _story(story))
    for part in parts:
        console.print()
        console.print(part)
    console.print()
    for line in conclusion(summary):
        console.print(line)


def conclusion(summary: Summary) -> Iterator[Text]:
    """Yield the last lines: what the killed worker left behind, and the verdict."""
    findings, verdict = summary.findings, summary.findings.verdict
    if findings.never_committed:
        yield Text(
            f"{findings.never_committed:,} more updates lie in the log, of a transaction that was cut off: never"
            " committed, seen by no subscriber."
        )
    for sentence in summary.not_shown:
        yield Text(f"Not shown: {sentence}", style="yellow")
    plain = f"{len(verdict.missing)} missing, {len(verdict.doubled)} doubled"
    counted = f"{verdict.expected:,} updates expected, {verdict.seen:,} seen: {plain}."
    if findings.is_exact:
        yield Text(f"{counted} Exactly once.", style="bold green")
    else:
        yield Text(f"{counted} NOT EXACT.", style="bold red")
        yield from map(Text, _faults(findings))


def _faults(findings: Findings) -> Iterator[str]:
    if not findings.verdict.is_exact:
        yield f"updates: {findings.verdict}"
    if findings.lost:
        yield f"clicks: {findings.lost} of the records that were sent do not stand in their topic"
    for reason, _ in (findings.dead_letters_expected - findings.dead_letters_seen).elements():
        yield f"dead letters: one with the reason {reason} is missing"
    for reason, _ in (findings.dead_letters_seen - findings.dead_letters_expected).elements():
        yield f"dead letters: one with the reason {reason} should not be there"
    if findings.wrong_hits:
        yield f"hits: those of {findings.wrong_hits} links are wrong"


def _outcomes(findings: Findings) -> RenderableType:
    table = _table("outcome", "records", "meaning")
    for outcome, meaning in MEANINGS.items():
        table.add_row(outcome.replace("_", " "), f"{findings.outcomes.get(outcome, 0):,}", meaning)
    table.add_row("in all", f"{findings.records:,}", "", style="bold")
    return _titled("What became of the clicks", table)


def _updates(findings: Findings) -> RenderableType:
    table = _table("kind of action", "updates", "done before", "person or company unknown")
    for kind, seen in findings.updates_by_kind.items():
        unknown = sum(findings.actions.get((kind, outcome), 0) for outcome in ("no_person", "no_company"))
        table.add_row(kind, f"{seen:,}", f"{findings.actions.get((kind, 'duplicate'), 0):,}", f"{unknown:,}")
    table.add_row("in all", f"{sum(findings.updates_by_kind.values()):,}", style="bold")
    return _titled("What the CRM was told", table)


def _dead_letters(findings: Findings) -> RenderableType:
    reasons = sorted(dead_letters_by_reason(findings).items())
    return _titled("Dead letters by reason", Text(", ".join(f"{reason} {count}" for reason, count in reasons)))


def _story(story: Story) -> RenderableType:
    cards = [
        f"{card} {number}" for card, number in (("person", story.person_id), ("company", story.company_id)) if number
    ]
    title = f"The story of one recipient, {story.recipient_id}" + (f" ({', '.join(cards)})" if cards else "")
    table = _table("clicked", "link", "through", "the CRM was told")
    for click in story.clicks:
        table.add_row(_time(click.clicked_at), click.link_id, click.through, _told(click))
    return _titled(title, table)


def _told(click: StoryClick) -> Text:
    lines = [Text(update[: TOLD_LENGTH - 1] + "…" if len(update) > TOLD_LENGTH else update) for update in click.updates]
    if click.remark:
        lines.append(Text(f"({click.remark})" if lines else f"nothing: {click.remark}", style="dim"))
    return Text("\n").join(lines)


def _check(findings: Findings) -> RenderableType:
    verdict, wanted, letters = findings.verdict, findings.dead_letters_expected, findings.dead_letters_seen
    wrong = len(verdict.unexpected) + len(verdict.differing) + len(verdict.out_of_order)
    hits, hits_seen = (
        sum(clicks for _, clicks, _ in hits.values()) for hits in (findings.hits_expected, findings.hits_seen)
    )
    rows: dict[str, tuple[int, ...]] = {
        "updates": (verdict.expected, verdict.seen, len(verdict.missing), len(verdict.doubled), wrong),
        "dead letters": (
            wanted.total(), letters.total(), findings.missing_dead_letters, findings.surplus_dead_letters, 0,
        ),
        "hits of links": (hits, hits_seen, max(hits - hits_seen, 0), max(hits_seen - hits, 0), findings.wrong_hits),
    }  # fmt: skip
    table = _table("", "expected", "seen", "missing", "doubled", "wrong")
    for name, numbers in rows.items():
        table.add_row(name, *(f"{number:,}" for number in numbers))
    return _titled("The check: an independent reader (read_committed) against a naive model", table)


def _titled(title: str, content: RenderableType) -> RenderableType:
    return Group(Text(title, style="bold"), content)


def _table(*columns: str) -> Table:
    texts = {"", "outcome", "meaning", "kind of action", "clicked", "link", "through", "the CRM was told"}
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, justify="left" if column in texts else "right")
    return table


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%a %d %H:%M:%S}"
