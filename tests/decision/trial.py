"""The decision on trial: what it makes of clicks, in turns, beside what the naive model makes of them, one by one."""

from collections import Counter
from collections.abc import Iterable

from confluent_kafka import murmur2

from consumer.decision.decision import Decision
from consumer.decision.outcome import ClickOutcome
from consumer.verify.reference_model import Expected, ReferenceModel
from runtime.records.bulk import Update
from tests.builders import Record
from tests.click_parts import click_bytes
from tests.decision.strategies import Turn, numbered
from tests.decision.twins import DecisionHarness, encode_update

RECORDS = {
    "crm-updates.set-field.v1": "SetField",
    "crm-updates.interest.v1": "ChangeInterest",
    "crm-updates.membership.v1": "ChangeMembership",
    "crm-updates.follow-up.v1": "CreateFollowUp",
    "crm-updates.request.v1": "OpenRequest",
    "crm-updates.script.v1": "RunScript",
}


def as_update(expected: Expected) -> Update:
    """The update as fastavro encodes it, with the headers that the design asks for."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", expected.topic.encode()),
        ("ce_source", f"/link-actions/{expected.record['tenant_id']}".encode()),
        ("content-type", b"application/avro"),
        ("ce_id", expected.update_id.encode()),
    ]
    return expected.topic, encode_update(RECORDS[expected.topic], expected.record), expected.key, headers


def key_of(click: Record) -> bytes:
    return f"{click['tenant_id']}/{click['recipient_id']}".encode()


class Trial:
    """Feeds the same clicks to the decision, in turns, and to the model, each once; compares after each turn."""

    def __init__(self, partitions: int, retention_ms: int | None) -> None:
        self._partitions = partitions
        self._desk = DecisionHarness(partitions=partitions, retention_ms=retention_ms)
        self._model = ReferenceModel(partitions=partitions, retention_ms=retention_ms)
        self._known: dict[tuple[str, str], Record] = {}
        self._logs: list[list[Record]] = [[] for _ in range(partitions)]
        self._positions = [0] * partitions
        self._hits: dict[tuple[int, str, str], tuple[int, int, int]] = {}

    def arrive(self, click: Record, *, misplaced: bool = False) -> None:
        self._logs[(self._right(click) + misplaced) % self._partitions].append(click)

    def publish(self, drawn: list[Record]) -> None:
        for link in numbered(drawn, self._known):
            self._desk.plans.define(link)
            self._model.define(link)

    def turn(self, turn: Turn) -> None:
        self.publish(turn.links)
        for partition, log in enumerate(self._logs):
            start = self._positions[partition]
            batch = log[start : start + turn.size]
            if batch:
                decision = self._desk.decide(*map(click_bytes, batch), partition=partition)
                if turn.committed:
                    self._commit(partition, batch, decision)

    def finish(self) -> None:
        while any(self._positions[partition] < len(log) for partition, log in enumerate(self._logs)):
            self.turn(Turn([], 1_000, committed=True))

    def _commit(self, partition: int, batch: list[Record], decision: Decision) -> None:
        self._desk.keep(decision, partition)
        self._positions[partition] += len(batch)
        self._compare(partition, batch, decision)
        misplaced = [row for row in self._misplaced(partition, batch) if batch[row]["click_id"]]
        assert [row for row, _, _ in decision.rerouted] == misplaced
        for row, key, right in decision.rerouted:
            assert (key, right) == (key_of(batch[row]), self._right(batch[row]))
            self._logs[right].append(batch[row])
        for plan, count in decision.hits.counts():
            tenant_id, _, link_id = plan.hits_name.decode().partition("/")
            self._hits[partition, tenant_id, link_id] = count.epoch, count.clicks, count.first_clicks
        assert self._total_hits() == self._model.hits

    def _compare(self, partition: int, batch: list[Record], decision: Decision) -> None:
        before, actions = len(self._model.expected), self._model.actions.copy()
        undefined = self._model.undefined
        outcomes = Counter(self._outcome(partition, click) for click in batch)
        assert decision.updates == [as_update(each) for each in self._model.expected[before:]]
        assert +decision.clicks == outcomes
        assert decision.undefined == self._model.undefined - undefined
        assert +decision.actions == self._model.actions - actions
        assert decision.counts().balanced
        assert decision.counts().consumed == len(batch)

    def _outcome(self, partition: int, click: Record) -> str:
        is_bad = not click["click_id"]
        return ClickOutcome.REROUTED if self._right(click) != partition and not is_bad else self._model.click(click)

    def _misplaced(self, partition: int, batch: list[Record]) -> list[int]:
        return [row for row, click in enumerate(batch) if self._right(click) != partition]

    def _right(self, click: Record) -> int:
        return murmur2(key_of(click), self._partitions)

    def _total_hits(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """The newest epoch's counts of each link, over the partitions that have got that far."""
        found: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
        for (_, *place), count in self._hits.items():
            found.setdefault((place[0], place[1]), []).append(count)
        return {place: _sum_of_newest(counts) for place, counts in found.items()}


def _sum_of_newest(counts: Iterable[tuple[int, int, int]]) -> tuple[int, int, int]:
    counts = list(counts)
    newest = max(epoch for epoch, _, _ in counts)
    of_newest = [count for count in counts if count[0] == newest]
    return newest, sum(clicks for _, clicks, _ in of_newest), sum(first for _, _, first in of_newest)
