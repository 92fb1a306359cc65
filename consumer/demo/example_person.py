"""The story of one person: each click, and what it brought about or why it brought nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumer.demo.findings import DecidedClick
from consumer.verify.reader import Seen, decode_update
from consumer.verify.update_record import DECIDED, SHARED, TOPICS

BEST_LENGTH = range(6, 10)
SHARED_LINK = "spring-offer"
"""The link that stands in three mailings and two flows."""
MISSING = "MISSING"
"""Stands for an update that must be there and was not seen."""
WORDS = {
    "set_field": "set {field} = {value}",
    "follow_up": "{type}: {description}",
    "request": "request: {title}",
    "script": "run {script}",
}

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoryClick:
    """One click, what it brought, as seen in the topics, and a remark about what it did not bring."""

    clicked_at: int
    link_id: str
    through: str
    updates: tuple[str, ...]
    remark: str


@dataclass(frozen=True, slots=True)
class Story:
    """The clicks of one recipient in their order."""

    recipient_id: str
    person_id: str | None
    company_id: str | None
    clicks: tuple[StoryClick, ...]


def describe_example_person(clicks: Iterable[DecidedClick], updates: Iterable[Seen]) -> Story | None:
    """Choose the person whose clicks show most, and tell what happened; None where nobody clicked."""
    by_recipient: dict[str, list[DecidedClick]] = defaultdict(list)
    for click in clicks:
        by_recipient[click.record["recipient_id"]].append(click)
    if not by_recipient:
        return None
    chosen = max(by_recipient.values(), key=how_telling)
    first = chosen[0].record
    key = f"{first['tenant_id']}/{first['recipient_id']}".encode()
    told = {}
    for seen in updates:
        if seen.key == key:
            update = decode_update(seen)
            told[update["update_id"]] = in_words(_kind(seen.topic), update)
    return Story(first["recipient_id"], first["person_id"], first["company_id"], tuple(_tell(chosen, told)))


def how_telling(clicks: Sequence[DecidedClick]) -> float:
    """Say how much there is to see in one person's clicks; the length must suit a screen."""
    records = [click.record for click in clicks]
    points = 2.0 * len({through(record) for record in records if record["link_id"] == SHARED_LINK})
    points += 2 * len({click.remark for click in _tell(clicks, {})})
    points += len({kind for click in clicks for kind, outcome in click.actions if outcome == "applied"})
    points += bool(records[0]["company_id"])
    times = [record["clicked_at"] for record in records]
    # A click that was rerouted comes late, and would need explaining.
    points -= 5 * (times != sorted(times))
    return points if len(clicks) in BEST_LENGTH else points - 10 - abs(len(clicks) - BEST_LENGTH.start)


def through(record: Record) -> str:
    """Return the mailing or flow that carried the link."""
    return str(record["mailing_id"] or record["flow_id"])


def in_words(kind: str, update: Record) -> str:
    """Say what an update asks the CRM for; of a kind that has no words here, its own fields."""
    if kind == "interest":
        of = " of the company" if update["scope"] == "company" else ""
        return f"{update['operation']} interest {update['interest']}{of}"
    if kind == "membership":
        direction = {"add": "add to", "remove": "remove from"}.get(update["operation"], update["operation"])
        return f"{direction} {update['target']} {update['target_id']}"
    if kind in WORDS:
        return WORDS[kind].format_map(update)
    return f"{kind}: " + ", ".join(f"{name} {value}" for name, value in own_fields(update).items())


def own_fields(update: Record) -> Record:
    """Return what an update says beyond the fields that every update has, which come first."""
    common = len(SHARED) + len(DECIDED)
    return dict(list(update.items())[common:])


def _kind(topic: str) -> str:
    return next(kind for kind, name in TOPICS.items() if topic.endswith(name))


def _tell(clicks: Sequence[DecidedClick], told: Mapping[str, str]) -> Iterator[StoryClick]:
    earlier: list[DecidedClick] = []
    for click in clicks:
        record = click.record
        yield StoryClick(
            clicked_at=record["clicked_at"],
            link_id=record["link_id"],
            through=through(record),
            updates=tuple(told.get(update_id, MISSING) for update_id in click.update_ids),
            remark=_remark(click, earlier),
        )
        earlier.append(click)


def _remark(click: DecidedClick, earlier: Sequence[DecidedClick]) -> str:
    """Say why the click did not bring about all that its link asks for."""
    if click.outcome == "test":
        return "a test click: it never acts and never counts"
    if click.outcome == "without_actions":
        return "this link asks for nothing"
    if any(before.record["click_id"] == click.record["click_id"] for before in earlier):
        return "the same click, published a second time"
    if click.outcome == "duplicate":
        return f"done already {_before(click, earlier)}"
    if _is_partial(click):
        return "the rest was done already"
    unknown = [outcome.removeprefix("no_") for _, outcome in click.actions if outcome.startswith("no_")]
    return f"no {' and no '.join(dict.fromkeys(unknown))} is known" if unknown else ""


def _before(click: DecidedClick, earlier: Sequence[DecidedClick]) -> str:
    """Say through what the person had clicked this link when something happened."""
    link_id = click.record["link_id"]
    acted = [before for before in earlier if before.record["link_id"] == link_id and before.outcome == "applied"]
    return f"through {through(acted[-1].record)}" if acted else "before"


def _is_partial(click: DecidedClick) -> bool:
    return {"applied", "duplicate"} <= {outcome for _, outcome in click.actions}
