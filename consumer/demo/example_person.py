"""One recipient as an example: each click with its updates, or the reason why there are none."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumer.demo.findings import DecidedClick
from consumer.verify.reader import Seen, decode_update
from consumer.verify.update_record import DECIDED, SHARED, TOPICS

BEST_LENGTH = range(6, 10)
SHARED_LINK = "spring-offer"
"""A link in three mailings and two flows."""
MISSING = "MISSING"
"""Shown for an expected update that was not seen."""
TEMPLATES = {
    "interest": "{operation} interest {interest} of the {scope}",
    "membership": "{operation} membership in {target} {target_id}",
    "set_field": "set {field} = {value}",
    "add_to_field": "add {amount} to {field}",
    "follow_up": "{type}: {description}",
    "request": "request: {title}",
    "script": "run {script}",
}

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExampleClick:
    """One click, its updates as seen in the topics, and a remark about actions that did not apply."""

    clicked_at_ms: int
    link_id: str
    through: str
    updates: tuple[str, ...]
    remark: str


@dataclass(frozen=True, slots=True)
class ExamplePerson:
    """The clicks of one recipient, in order."""

    recipient_id: str
    person_id: str | None
    company_id: str | None
    clicks: tuple[ExampleClick, ...]


def choose_example_person(clicks: Iterable[DecidedClick], updates: Iterable[Seen]) -> ExamplePerson | None:
    """Return the recipient whose clicks show the most; None if there are no clicks."""
    by_recipient: dict[str, list[DecidedClick]] = defaultdict(list)
    for click in clicks:
        by_recipient[click.record["recipient_id"]].append(click)
    if not by_recipient:
        return None
    chosen = max(by_recipient.values(), key=_score)
    first = chosen[0].record
    key = f"{first['tenant_id']}/{first['recipient_id']}".encode()
    descriptions = {}
    for seen in updates:
        if seen.key == key:
            update = decode_update(seen)
            descriptions[update["update_id"]] = describe_update(_kind(seen.topic), update)
    return ExamplePerson(
        first["recipient_id"], first["person_id"], first["company_id"], tuple(_example_clicks(chosen, descriptions))
    )


def _score(clicks: Sequence[DecidedClick]) -> float:
    """Rate how much the clicks of one recipient show; the number of clicks must fit a screen."""
    records = [click.record for click in clicks]
    points = 2.0 * len({through(record) for record in records if record["link_id"] == SHARED_LINK})
    points += 2 * len({click.remark for click in _example_clicks(clicks, {})})
    points += len({kind for click in clicks for kind, outcome in click.actions if outcome == "applied"})
    points += bool(records[0]["company_id"])
    times = [record["clicked_at"] for record in records]
    # A rerouted click is out of order, which would need an explanation.
    points -= 5 * (times != sorted(times))
    return points if len(clicks) in BEST_LENGTH else points - 10 - abs(len(clicks) - BEST_LENGTH.start)


def through(record: Record) -> str:
    """Return the mailing or flow of a click."""
    return str(record["mailing_id"] or record["flow_id"])


def describe_update(kind: str, update: Record) -> str:
    """Describe an update with the template of its kind, or else by the fields of its kind."""
    if kind in TEMPLATES:
        return TEMPLATES[kind].format_map(update)
    return f"{kind}: " + ", ".join(f"{name} {value}" for name, value in own_fields(update).items() if value is not None)


def own_fields(update: Record) -> Record:
    """Return the fields of the update's kind, which follow those that every update has."""
    common = len(SHARED) + len(DECIDED)
    return dict(list(update.items())[common:])


def _kind(topic: str) -> str:
    return next(kind for kind, name in TOPICS.items() if topic.endswith(name))


def _example_clicks(clicks: Sequence[DecidedClick], descriptions: Mapping[str, str]) -> Iterator[ExampleClick]:
    earlier: list[DecidedClick] = []
    for click in clicks:
        record = click.record
        yield ExampleClick(
            clicked_at_ms=record["clicked_at"],
            link_id=record["link_id"],
            through=through(record),
            updates=tuple(descriptions.get(update_id, MISSING) for update_id in click.update_ids),
            remark=_remark(click, earlier),
        )
        earlier.append(click)


def _remark(click: DecidedClick, earlier: Sequence[DecidedClick]) -> str:
    """Return why not all actions of the link applied."""
    if click.outcome == "test":
        return "a test click: neither applies nor counts"
    if click.outcome == "without_actions":
        return "the link has no actions"
    if any(before.record["click_id"] == click.record["click_id"] for before in earlier):
        return "the same click, published twice"
    if click.outcome == "duplicate":
        return f"already applied {_before(click, earlier)}"
    if _is_partial(click):
        return "the other actions had applied before"
    unknown = [outcome.removeprefix("no_") for _, outcome in click.actions if outcome.startswith("no_")]
    return f"no {' and no '.join(dict.fromkeys(unknown))} is known" if unknown else ""


def _before(click: DecidedClick, earlier: Sequence[DecidedClick]) -> str:
    """Return the mailing or flow through which this link last applied."""
    link_id = click.record["link_id"]
    acted = [before for before in earlier if before.record["link_id"] == link_id and before.outcome == "applied"]
    return f"through {through(acted[-1].record)}" if acted else "before"


def _is_partial(click: DecidedClick) -> bool:
    return {"applied", "duplicate"} <= {outcome for _, outcome in click.actions}
