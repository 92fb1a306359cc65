"""What must happen, worked out the simplest way: one click after the other, plain dicts, no batches, no bytes.

Written from the design's words; where those leave a choice, this is what the program documents:
the memory is asked before the needs, so an action that applied once is a duplicate even if the person is unknown now;
a first click on a link leaves memory even where it brings nothing about; a cooldown runs from the last application by
the clicks' own times; memory that expires is as old as the newest click that made it or added to it, and that of a
single click as old as that click.
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
"""What the scope is, and its name; empty for everything."""


@dataclass(frozen=True)
class Expected:
    """An update that must be there. `topic` is without prefix; `record` the whole update, times in milliseconds."""

    topic: str
    key: bytes
    record: dict[str, Any]

    @property
    def update_id(self) -> str:
        """The update's id."""
        return str(self.record["update_id"])


@dataclass
class _Memory:
    """Of one recipient and link, or of one scope of it: when it was made or added to, and when each action applied."""

    newest: int
    applied_at: dict[str, int] = field(default_factory=dict)


@dataclass
class _Hits:
    epoch: int
    clicks: int = 0
    first_clicks: int = 0


class ReferenceModel:
    """One pass over the clicks, which must come in the order in which their partitions hold them.

    The order between partitions does not matter. `partitions` is asked only for what a script is told of the link's
    hits, which are counted by partition.
    """

    def __init__(self, links: Iterable[Record] = (), *, retention_ms: int | None = None, partitions: int = 1) -> None:
        """`links` are decoded `LinkDefined`, any number of versions of each; unions of records as (name, record)."""
        self.expected: list[Expected] = []
        self.outcomes: Counter[str] = Counter()
        self.undefined = 0
        """How many of the outcomes `without_actions` are of clicks on links that nobody has defined."""
        self.actions: Counter[tuple[str, str]] = Counter()
        self._retention_ms = retention_ms
        self._partitions = partitions
        self._links: dict[tuple[str, str], dict[int, Record]] = {}
        self._memories: dict[tuple[Any, ...], _Memory] = {}
        self._hits: dict[tuple[str, str, int], _Hits] = {}
        for link in links:
            self.define(link)

    def define(self, link: Record) -> None:
        """Make a version known from here on."""
        self._links.setdefault((link["tenant_id"], link["link_id"]), {})[link["version"]] = link

    def click(self, click: Record) -> str:
        """Take in one decoded `LinkClicked` and return its outcome."""
        outcome = self._decide(click)
        self.outcomes[outcome] += 1
        return outcome

    @property
    def hits(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Newest epoch, clicks and first clicks of each link, added up over all partitions."""
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
        first = self._recall(link, click, ()) is None
        if first:
            self._memories[_place(link, click, ())] = _Memory(click["clicked_at"])
        link_hits = self._count_hit(link, click, first=first)
        outcomes = [self._act(link, action, click, link_hits) for action in link["actions"]]
        if not outcomes:
            return "without_actions"
        return next((outcome for outcome in ("applied", "duplicate") if outcome in outcomes), "not_applicable")

    def _count_hit(self, link: Record, click: Record, *, first: bool) -> int:
        place = (link["tenant_id"], link["link_id"], partition_of(_key(click), self._partitions))
        hits = self._hits.setdefault(place, _Hits(link["epoch"]))
        if link["epoch"] < hits.epoch:
            return 0
        if link["epoch"] > hits.epoch:
            hits = self._hits[place] = _Hits(link["epoch"])
        hits.clicks += 1
        hits.first_clicks += first
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
        """Return the action's outcome, and remember it where it applies."""
        cooldown = action["repeat"]["rule"] == "cooldown"
        scope = () if cooldown else _scope(action, click)
        memory = self._recall(link, click, scope)
        now, applied_at = click["clicked_at"], memory.applied_at.get(action["action_id"]) if memory else None
        if applied_at is not None and not (cooldown and now - applied_at >= action["repeat"]["period_ms"]):
            return "duplicate"
        if need and click[f"{need}_id"] is None:
            return f"no_{need}"
        if memory is None:
            memory = self._memories[_place(link, click, scope)] = _Memory(now)
        memory.applied_at[action["action_id"]] = now
        if not scope or action["repeat"]["rule"] != "always":
            memory.newest = max(memory.newest, now)
        return "applied"

    def _recall(self, link: Record, click: Record, scope: _Scope) -> _Memory | None:
        memory = self._memories.get(_place(link, click, scope))
        if memory is None or self._retention_ms is None:
            return memory
        return None if click["clicked_at"] - memory.newest > self._retention_ms else memory


def _is_blank(identifier: str | None) -> bool:
    """Tell whether an id is absent or says as much as an absent one: a CSV export leaves it empty, or pads it."""
    return not (identifier or "").strip(" \t\n\r\v\f")


def _key(click: Record) -> bytes:
    return f"{click['tenant_id']}/{click['recipient_id']}".encode()


def _place(link: Record, click: Record, scope: _Scope) -> tuple[Any, ...]:
    return link["tenant_id"], click["recipient_id"], link["link_id"], link["epoch"], scope


def _scope(action: Record, click: Record) -> _Scope:
    """Return for what the action happens once: everything, one mailing or flow run, or one click."""
    rule = action["repeat"]["rule"]
    if rule in {"cooldown", "always"}:
        return ("click", click["click_id"])
    if rule == "once_per_mailing" and click["mailing_id"] is not None:
        return ("mailing", click["mailing_id"])
    if rule == "once_per_mailing" and click["flow_run_id"] is not None:
        return ("flow", click["flow_id"] or "", click["flow_run_id"])
    return ()


def _scope_in_id(scope: _Scope) -> str:
    """Return what an update id says of the scope: the name alone, but a flow run with what it is and its flow."""
    return "\x1f".join(scope if scope[:1] == ("flow",) else scope[1:])


def _need(kind: str, parameters: Record) -> str | None:
    """Return which card behind the recipient must be known."""
    if kind == "script":
        return None
    return "company" if kind == "interest" and parameters["scope"] == "company" else "person"
