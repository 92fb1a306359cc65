"""Verifies one round with readers that share no code with the program; returns a sentence for each violation."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from consumer.verify.comparison import compare
from consumer.verify.murmur import partition_of
from consumer.verify.reader import NotReadable, Seen, decode
from consumer.verify.reference_model import ReferenceModel
from schemas.topics import DEAD_LETTERS, LINK_CLICKS
from tests.builders import Record
from tests.chaos.end_offsets import undecided
from tests.support.deployment import UPDATES, Deployment
from tests.support.outcome import hits, read_all
from tests.support.patience import stretched
from tests.support.records import click_key

Read = TypeVar("Read")
ATTEMPTS = 5
ANSWER_SECONDS = 30.0
OFFSETS = "__consumer_offsets"
RecordId = tuple[int, int]
"""Partition and offset."""


@dataclass
class Findings:
    """Numbers of records read, their outcomes, and the violations."""

    clicks: int
    updates: int
    outcomes: dict[RecordId, str]
    violations: list[str] = field(default_factory=list)


def verify_round(deployment: Deployment, acknowledged: Mapping[RecordId, bytes | None]) -> Findings:
    """Read everything again and compare it with what the model makes of the clicks."""
    clicks, letters, *updates = patiently(lambda: read_all(deployment, LINK_CLICKS, DEAD_LETTERS, *UPDATES))
    model = ReferenceModel(deployment.links, partitions=deployment.partitions)
    outcomes = {(click.partition, click.offset): outcome_of(click, model) for click in clicks}
    comparison = compare(model.expected, chain(*updates), prefix=deployment.prefix)
    findings = Findings(len(clicks), comparison.seen, outcomes)
    findings.violations += missing_clicks(acknowledged, clicks)
    findings.violations += [] if comparison.is_exact else [str(comparison)]
    seen_hits = patiently(lambda: hits(deployment))
    findings.violations += [] if seen_hits == model.hits else ["the hits of the links do not add up"]
    bad = [click for click in clicks if outcomes[click.partition, click.offset] == "dead_lettered"]
    findings.violations += wrong_letters(bad, letters)
    return findings


def patiently(read: Callable[[], Read]) -> Read:
    """Read, and retry on failure: a broker that has just restarted may not know yet which partitions it leads."""
    for _ in range(ATTEMPTS - 1):
        with suppress(NotReadable):
            return read()
        time.sleep(1.0)
    return read()


def open_transactions(deployment: Deployment) -> list[str]:
    """Return a sentence for each partition, those of the committed offsets too, in which a transaction is open."""
    names = [*map(deployment.topic, deployment.topics), OFFSETS]
    topics = deployment.admin.list_topics(timeout=stretched(ANSWER_SECONDS)).topics
    places = [(name, number) for name in names if name in topics for number in topics[name].partitions]
    found = undecided(deployment.admin, places)
    return [
        f"a transaction is open in {place} from {stable} on; the end is {end}" for place, (stable, end) in found.items()
    ]


def outcome_of(record: Seen, model: ReferenceModel) -> str:
    """Return what must become of the next record of its partition."""
    click = _click_in(record)
    if click is None:
        return "dead_lettered"
    if partition_of(click_key(click), record.partitions or 1) != record.partition:
        return "rerouted"
    return model.click(click)


def missing_clicks(acknowledged: Mapping[RecordId, bytes | None], clicks: Iterable[Seen]) -> list[str]:
    """Return a sentence if the topic lacks acknowledged clicks."""
    there = {(click.partition, click.offset): click.value for click in clicks}
    lost = [place for place, value in acknowledged.items() if place not in there or there[place] != value]
    return [f"{len(lost)} acknowledged clicks are not in the topic, the first at {min(lost)}"] if lost else []


def wrong_letters(bad: Sequence[Seen], letters: Sequence[Seen]) -> list[str]:
    """Return sentences if bad records and dead letters differ; each must be there once, byte for byte."""
    wanted = Counter(((click.partition, click.offset), click.key, click.value) for click in bad)
    found = Counter((_origin(letter), letter.key, letter.value) for letter in letters)
    return [*_listed("dead letters are missing", wanted - found), *_listed("dead letters are too many", found - wanted)]


def _listed(words: str, surplus: Counter[tuple[RecordId, bytes | None, bytes | None]]) -> Iterator[str]:
    if surplus:
        yield f"{surplus.total()} {words}, the first of the click at {next(iter(surplus))[0]}"


def _origin(letter: Seen) -> RecordId:
    headers = dict(letter.headers)
    return int(headers["dlq.partition"]), int(headers["dlq.offset"])


def _click_in(record: Seen) -> Record | None:
    try:
        return decode("LinkClicked", record.value)
    except NotReadable:
        return None
