"""Compares the output of a deployment with the independent reference model."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain

from consumer.verify.comparison import Comparison, compare
from consumer.verify.murmur import partition_of
from consumer.verify.reader import NotReadable, Seen, decode, read_topic
from consumer.verify.reference_model import ReferenceModel
from schemas.topics import DEAD_LETTERS, LINK_CLICKS, LINK_HITS
from tests.builders import Record
from tests.support.deployment import UPDATES, Deployment
from tests.support.records import click_key


@dataclass(frozen=True)
class Outcome:
    """The model, the comparison of the updates, and the dead letters."""

    model: ReferenceModel
    comparison: Comparison
    dead_letters: list[Seen]

    @property
    def reasons(self) -> Counter[str]:
        """Number of dead letters by reason."""
        return Counter(dict(letter.headers)["dlq.reason"].decode() for letter in self.dead_letters)


def look_at(deployment: Deployment, clicks: Iterable[Record] | None = None) -> Outcome:
    """Read everything again and compare it with the model.

    `clicks` are those that count, in their order; by default all that are in their right partition.
    """
    published, letters, *updates = read_all(deployment, LINK_CLICKS, DEAD_LETTERS, *UPDATES)
    model = ReferenceModel(deployment.links, partitions=deployment.partitions)
    for click in in_place(published, deployment.partitions) if clicks is None else clicks:
        model.click(click)
    return Outcome(model, compare(model.expected, chain(*updates), prefix=deployment.prefix), letters)


def assert_exact(deployment: Deployment, clicks: Iterable[Record] | None = None, *, dead_letters: int = 0) -> Outcome:
    """Assert that every expected update is there exactly once, and that hits and dead letters are as expected."""
    outcome = look_at(deployment, clicks)
    assert outcome.comparison.is_exact, str(outcome.comparison)
    assert hits(deployment) == outcome.model.hits
    assert outcome.reasons.total() == dead_letters, outcome.reasons
    return outcome


def in_place(published: Iterable[Seen], partitions: int) -> Iterator[Record]:
    """Yield the readable clicks among these records that are in the partition of their identity."""
    for record in published:
        with suppress(NotReadable):
            click = decode("LinkClicked", record.value)
            if partition_of(click_key(click), partitions) == record.partition:
                yield click


def hits(deployment: Deployment) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return newest epoch, clicks and first clicks of each link, as a subscriber adds them up."""
    latest = {record.key: decode("LinkHits", record.value) for record in read(deployment, LINK_HITS)}
    total: dict[tuple[str, str], tuple[int, int, int]] = {}
    for each in latest.values():
        link = each["tenant_id"], each["link_id"]
        epoch, clicks, first_clicks = total.get(link, (-1, 0, 0))
        if each["epoch"] > epoch:
            epoch, clicks, first_clicks = each["epoch"], 0, 0
        if each["epoch"] == epoch:
            total[link] = epoch, clicks + each["clicks"], first_clicks + each["first_clicks"]
    return total


def read(deployment: Deployment, topic: str) -> list[Seen]:
    """Return what a subscriber sees of a topic, named without its prefix."""
    return read_topic(deployment.servers, deployment.topic(topic))


def read_all(deployment: Deployment, *topics: str) -> list[list[Seen]]:
    """Return what a subscriber sees of each topic; they are read side by side."""
    with ThreadPoolExecutor(len(topics)) as pool:
        return list(pool.map(partial(read, deployment), topics))
