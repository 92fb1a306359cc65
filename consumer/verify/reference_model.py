"""The reference model: the expected updates, computed one click at a time with plain dicts.

Written from the design. Where that leaves a choice, the model does what the program documents:
- dedupe comes before needs: an action that applied once is a duplicate even if the person is unknown now
- dedupe comes before the guard, too: once a confirmed action applied, an unconfirmed click is a duplicate of it
- a first click on a link leaves a dedupe entry even if no action applies, unless all actions lack a confirmation; then
  the click is no first click
- the click of a button pressed on a page, and a replayed click, act but are no hits; a replayed one is no first click
- a cooldown runs from the last application, by the clicks' own times
- an entry is as old as the newest click that created or extended it; the entry of one click is as old as that click
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from consumer.verify.murmur import partition_of
from consumer.verify.update_record import SHARED, TOPICS, Record, kind_of, own_fields, update_id

NEEDED_IDS = ("tenant_id", "link_id", "recipient_id", "click_id")
OPTIONAL_IDS = ("person_id", "company_id", "mailing_id", "flow_id", "flow_run_id")

_Scope = tuple[str, ...]
"""The type of the scope and its name; empty for everything."""


@dataclass(frozen=True)
class Expected:
    """An expected update: the topic without its prefix, and the whole record, times in milliseconds."""

    topic: str
    key: bytes
    record: dict[str, Any]

    @property
    def update_id(self) -> str:
        """The update's id."""
        return str(self.record["update_id"])


@dataclass
class _DedupeEntry:
    """The entry of a recipient and link, or of one scope of them: its newest click, and when each action applied."""

    newest_ms: int
    applied_at_ms: dict[str, int] = field(default_factory=dict)


@dataclass
class _Hits:
    epoch: int
    clicks: int = 0
    first_clicks: int = 0


class ReferenceModel:
    """Takes the clicks in the order of their offsets; the order between partitions does not matter.

    `partitions` matters only for the link's hits in a script's update, which are counted per partition.
    """

    def __init__(self, links: Iterable[Record] = (), *, retention_ms: int | None = None, partitions: int = 1) -> None:
        """`links` are decoded `LinkDefined` in any number of versions; unions of records as (name, record)."""
        self.expected: list[Expected] = []
        self.outcomes: Counter[str] = Counter()
        self.undefined = 0
        """Clicks with the outcome `without_actions` on links without a definition."""
        self.actions: Counter[tuple[str, str]] = Counter()
        self._retention_ms = retention_ms
        self._partitions = partitions
        self._links: dict[tuple[str, str], dict[int, Record]] = {}
        self._entries: dict[tuple[Any, ...], _DedupeEntry] = {}
        self._hits: dict[tuple[str, str, int], _Hits] = {}
        for link in links:
            self.define(link)

    def define(self, link: Record) -> None:
        """Add a version of a link."""
        self._links.setdefault((link["tenant_id"], link["link_id"]), {})[link["version"]] = link

    def click(self, click: Record) -> str:
        """Process one decoded `LinkClicked` and return its outcome."""
        outcome = self._decide(click)
        self.outcomes[outcome] += 1
        return outcome

    @property
    def hits(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Newest epoch, clicks and first clicks of each link, summed over all partitions."""
        total: dict[tuple[str, str], tuple[int, int, int]] = {}
        for (tenant_id, link_id, _), hits in self._hits.items():
            epoch, clicks, first_clicks = total.get((tenant_id, link_id), (-1, 0, 0))
            if hits.epoch > epoch:
                epoch, clicks, first_clicks = hits.epoch, 0, 0
            if hits.epoch == epoch:
                total[tenant_id, link_id] = epoch, clicks + hits.clicks, first_clicks + hits.first_clicks
        return total

    def _decide(self, click: Record) -> str:
        click = {**click, **{name: None for name in OPTIONAL_IDS if _is_blank(click[name])}}
        if any(_is_blank(click[name]) for name in NEEDED_IDS):
            return "dead_lettered"
        if click["test"]:
            return "test"
        versions = self._links.get((click["tenant_id"], click["link_id"]), {})
        named = click["link_version"]
        if named is None and not versions:
            self.undefined += 1
            return "without_actions"
        link = versions.get(max(versions) if named is None else named)
        if link is None:
            return "dead_lettered"
        first = self._find_entry(link, click, ()) is None and not _is_turned_away(link, click)
        if first:
            self._entries[_entry_key(link, click, ())] = _DedupeEntry(click["clicked_at"])
        link_hits = self._count_hit(link, click, first=first)
        outcomes = [self._act(link, action, click, link_hits) for action in link["actions"]]
        if not outcomes:
            return "without_actions"
        return next((outcome for outcome in ("applied", "duplicate") if outcome in outcomes), "not_applicable")

    def _count_hit(self, link: Record, click: Record, *, first: bool) -> int:
        key = (link["tenant_id"], link["link_id"], partition_of(_key(click), self._partitions))
        hits = self._hits.setdefault(key, _Hits(link["epoch"]))
        if link["epoch"] < hits.epoch:
            return 0
        if link["epoch"] > hits.epoch:
            hits = self._hits[key] = _Hits(link["epoch"])
        is_of_page = not _is_blank(click.get("page_click_id"))
        is_replayed = click.get("replayed", False)
        hits.clicks += not (is_of_page or is_replayed)
        hits.first_clicks += first and not is_replayed
        return hits.clicks

    def _act(self, link: Record, action: Record, click: Record, link_hits: int) -> str:
        name, parameters = action["parameters"]
        kind = kind_of(name)
        outcome = self._try(link, action, click, _need(kind, parameters))
        self.actions[kind, outcome] += 1
        if outcome == "applied":
            scope = _scope_in_id(_scope(action, click))
            identifier = update_id(link, action["action_id"], click["recipient_id"], scope)
            decided = {"link_version": link["version"], "epoch": link["epoch"], "action_id": action["action_id"]}
            record = {name: click[name] for name in SHARED} | {"update_id": identifier} | decided
            record |= own_fields(kind, parameters, link=link, click=click, link_hits=link_hits)
            self.expected.append(Expected(TOPICS[kind], _key(click), record))
        return outcome

    def _try(self, link: Record, action: Record, click: Record, need: str | None) -> str:
        """Return the outcome of the action; if it applies, record that."""
        cooldown = action["repeat"]["rule"] == "cooldown"
        scope = () if cooldown else _scope(action, click)
        entry = self._find_entry(link, click, scope)
        now_ms, applied_at_ms = click["clicked_at"], entry.applied_at_ms.get(action["action_id"]) if entry else None
        if applied_at_ms is not None and not (cooldown and now_ms - applied_at_ms >= action["repeat"]["period_ms"]):
            return "duplicate"
        if _is_unconfirmed(action, click):
            return "not_confirmed"
        if need and click[f"{need}_id"] is None:
            return f"no_{need}"
        if entry is None:
            entry = self._entries[_entry_key(link, click, scope)] = _DedupeEntry(now_ms)
        entry.applied_at_ms[action["action_id"]] = now_ms
        if not scope or action["repeat"]["rule"] != "always":
            entry.newest_ms = max(entry.newest_ms, now_ms)
        return "applied"

    def _find_entry(self, link: Record, click: Record, scope: _Scope) -> _DedupeEntry | None:
        entry = self._entries.get(_entry_key(link, click, scope))
        if entry is None or self._retention_ms is None:
            return entry
        return None if click["clicked_at"] - entry.newest_ms > self._retention_ms else entry


def _is_blank(identifier: str | None) -> bool:
    """Return whether an id is absent, empty or blank, as CSV exports write unknown ids."""
    return not (identifier or "").strip(" \t\n\r\v\f")


def _key(click: Record) -> bytes:
    return f"{click['tenant_id']}/{click['recipient_id']}".encode()


def _entry_key(link: Record, click: Record, scope: _Scope) -> tuple[Any, ...]:
    return link["tenant_id"], click["recipient_id"], link["link_id"], link["epoch"], scope


def _is_unconfirmed(action: Record, click: Record) -> bool:
    return action.get("guard") == "confirm" and not click["confirmed"]


def _is_turned_away(link: Record, click: Record) -> bool:
    """Return whether every action of the link lacks a confirmation of this click."""
    return bool(link["actions"]) and all(_is_unconfirmed(action, click) for action in link["actions"])


def _scope(action: Record, click: Record) -> _Scope:
    """Return the scope in which the action applies once: everything, a mailing or flow run, or a click."""
    rule = action["repeat"]["rule"]
    if rule in {"cooldown", "always"}:
        return ("click", click["click_id"])
    if rule == "once_per_mailing" and click["mailing_id"] is not None:
        return ("mailing", click["mailing_id"])
    if rule == "once_per_mailing" and click["flow_run_id"] is not None:
        return ("flow", click["flow_id"] or "", click["flow_run_id"])
    return ()


def _scope_in_id(scope: _Scope) -> str:
    """Return the scope's part of an update id: its name; for a flow run also its type and flow."""
    return "\x1f".join(scope if scope[:1] == ("flow",) else scope[1:])


def _need(kind: str, parameters: Record) -> str | None:
    """Return the CRM card that must be known: person, company or none."""
    if kind == "script":
        return None
    return "company" if kind == "interest" and parameters["scope"] == "company" else "person"
