"""Compares expected and seen updates, dead letters and hits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from consumer.demo.broken import BrokenRecord
from consumer.demo.evidence import Evidence
from consumer.verify.comparison import Comparison, compare
from consumer.verify.murmur import partition_of
from consumer.verify.reader import Seen, decode
from consumer.verify.reference_model import ReferenceModel
from consumer.verify.update_record import TOPICS

DeadLetter = tuple[str, bytes | None]
"""Reason and value of a dead letter."""
Hits = Mapping[tuple[str, str], tuple[int, int, int]]
"""Tenant and link to epoch, clicks and first clicks."""


@dataclass(frozen=True, slots=True)
class DecidedClick:
    """A click in its partition, with the model's decision."""

    record: Mapping[str, Any]
    outcome: str
    actions: Mapping[tuple[str, str], int]
    """The click's own actions by kind and outcome."""
    update_ids: Sequence[str]
    """The ids of its expected updates, in the order of the link's actions."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of the check."""

    records: int
    """Records in the clicks topic, which has a rerouted click twice."""
    lost: int
    """Sent records that are not in the topic; negative if it has records that were not sent."""
    lost_by_edge: int
    """Clicks that the edge answered and that are not in the topic."""
    doubled_by_edge: int
    """Clicks of the edge that are in the topic again; each acts once."""
    outcomes: Mapping[str, int]
    actions: Mapping[tuple[str, str], int]
    clicks: Sequence[DecidedClick]
    updates: Sequence[Seen]
    comparison: Comparison
    updates_by_kind: Mapping[str, int]
    """The updates that were seen."""
    dead_letters_expected: Counter[DeadLetter]
    dead_letters_seen: Counter[DeadLetter]
    hits_expected: Hits
    hits_seen: Hits
    never_committed: int

    @property
    def missing_dead_letters(self) -> int:
        """Dead letters that are missing or have another reason."""
        return (self.dead_letters_expected - self.dead_letters_seen).total()

    @property
    def surplus_dead_letters(self) -> int:
        """Dead letters that are unexpected or doubled."""
        return (self.dead_letters_seen - self.dead_letters_expected).total()

    @property
    def wrong_hits(self) -> int:
        """Links with wrong hits."""
        links = self.hits_expected.keys() | self.hits_seen.keys()
        return sum(self.hits_expected.get(link) != self.hits_seen.get(link) for link in links)

    @property
    def is_exact(self) -> bool:
        """True if updates, dead letters and hits are all as expected."""
        letters_exact = self.dead_letters_expected == self.dead_letters_seen
        return (
            self.comparison.is_exact
            and letters_exact
            and not self.wrong_hits
            and not self.lost
            and not self.lost_by_edge
        )


def examine(
    evidence: Evidence,
    broken: Sequence[BrokenRecord],
    *,
    sent: int,
    partitions: int,
    answered: AbstractSet[str] = frozenset(),
) -> Findings:
    """Compute the expected records from the clicks in their topic, and compare.

    `sent` is the number of records sent, `broken` the broken ones with the reasons of their dead letters, `answered`
    the ids of the clicks that an edge has answered. Raises NotReadable, and UnknownKind for a link with a kind of
    action that the reference model does not have.
    """
    links = [decode("LinkDefined", record.value) for record in evidence.definitions]
    model = ReferenceModel(links, partitions=partitions)
    reasons = {record.value: record.reason for record in broken}
    clicks, rerouted = [], 0
    from_edge: list[str] = []
    for seen in evidence.clicks:
        if seen.value in reasons:
            continue
        record = decode("LinkClicked", seen.value)
        if record["fetch_mode"] is not None:
            from_edge.append(record["click_id"])
        if _correct_partition(record, partitions) != seen.partition:
            rerouted += 1
        else:
            clicks.append(_decide(model, record))
    outcomes = model.outcomes + Counter(rerouted=rerouted, dead_lettered=len(broken))
    return Findings(
        records=len(evidence.clicks),
        lost=sent + rerouted + len(from_edge) - len(evidence.clicks),
        lost_by_edge=len(answered - set(from_edge)),
        doubled_by_edge=len(from_edge) - len(set(from_edge)),
        outcomes=outcomes,
        actions=model.actions,
        clicks=clicks,
        updates=evidence.updates,
        comparison=compare(model.expected, evidence.updates, prefix=evidence.prefix),
        updates_by_kind=_by_kind(evidence),
        dead_letters_expected=Counter((record.reason, record.value) for record in broken),
        dead_letters_seen=Counter(_dead_letter(seen) for seen in evidence.dead_letters),
        hits_expected=model.hits,
        hits_seen=_hits(evidence.hits),
        never_committed=evidence.never_committed,
    )


def _correct_partition(record: Mapping[str, Any], partitions: int) -> int:
    return partition_of(f"{record['tenant_id']}/{record['recipient_id']}".encode(), partitions)


def _decide(model: ReferenceModel, record: dict[str, Any]) -> DecidedClick:
    actions, updates = model.actions.copy(), len(model.expected)
    outcome = model.click(record)
    update_ids = [update.update_id for update in model.expected[updates:]]
    return DecidedClick(record, outcome, model.actions - actions, update_ids)


def _by_kind(evidence: Evidence) -> Mapping[str, int]:
    topics = Counter(seen.topic.removeprefix(evidence.prefix) for seen in evidence.updates)
    return {kind: topics[topic] for kind, topic in TOPICS.items()}


def _dead_letter(seen: Seen) -> DeadLetter:
    return dict(seen.headers).get("dlq.reason", b"").decode(), seen.value


def _hits(records: Sequence[Seen]) -> Hits:
    """Sum the newest count of each link over the partitions."""
    newest = {seen.key: decode("LinkHits", seen.value) for seen in records}
    total: dict[tuple[str, str], tuple[int, int, int]] = {}
    for record in newest.values():
        link = record["tenant_id"], record["link_id"]
        epoch, clicks, first_clicks = total.get(link, (record["epoch"], 0, 0))
        total[link] = epoch, clicks + record["clicks"], first_clicks + record["first_clicks"]
    return total
