"""Plants bugs in the loop and its ports; the simulator must find each within `SEEDS` seeds."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

import pytest

from consumer.loop.history import Evidence
from consumer.loop.history_check import HistoryCheck, _offset
from consumer.loop.loop import Loop
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.ports import Committed, ConsumerRecord
from runtime.state.store import PartitionStore
from tests.simulation.equipment import BitingStream, Variant
from tests.simulation.run import run_seed
from tests.simulation.shrinking import shrink
from tests.simulation.silence import silenced

SEEDS = range(1, 301)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with silenced():
        yield


class HastyStream(BitingStream):
    """Commits the offsets before the records they cover."""

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        self._membership.group().stage(-1, offsets)
        self._membership.group().apply(-1)
        return super().commit_transaction(offsets)


class ReusedProducer(BitingStream):
    """Keeps a producer whose last transaction has an unknown outcome."""

    def reinit_producer(self) -> None:
        if self._producer._producer is None:
            super().reinit_producer()
        self._producer._in_transaction = False
        self._producer._tracked = {}


class PositionStream(BitingStream):
    """Continues from the consumer's position instead of the committed offset."""

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        positions = dict(self._membership.positions)
        committed = super().seek_to_committed(partitions)
        self._membership.positions.update({partition: positions[partition] for partition in partitions})
        return committed


class CreditTakingStream(BitingStream):
    """Takes each committed offset for one that it committed itself."""

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        committed = super().seek_to_committed(partitions)
        return {p: Committed(found.offset, is_own=True) if found else None for p, found in committed.items()}


class PossessiveStream(BitingStream):
    """Keeps what was taken away."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._membership._revoke = lambda partitions: None  # type: ignore[method-assign]  # noqa: ARG005


class ShortSightedReader(FakeLogReader):
    """Takes the last stable offset for the end."""

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        stable = {p: self._topic().log(p).stable_end for p in partitions}
        return {p: (first, stable[p]) for p, (first, _) in super().watermarks(partitions).items()}


class CredulousCheck(HistoryCheck):
    """Continues from the committed offset without comparing it with the state."""

    def verify(self, complete: Mapping[int, PartitionStore]) -> Mapping[int, int]:
        committed = self._consumer.seek_to_committed([*complete])
        bounds = self._consumer.watermarks([*complete])
        for partition in complete:
            self._admit(partition, Evidence(_offset(committed[partition]), None, *bounds[partition]))
        return {p: self._start_offsets[p] for p in complete}


class EagerLoop(Loop):
    """Writes the state before the commit."""

    def _process_batch(self, records: Mapping[int, Sequence[ConsumerRecord]]) -> None:
        batch = self._decide(records, inf)
        self._pending = batch
        self._consumer.begin_transaction()
        for each in batch.partitions:
            self._dependencies.output.write(each)
        live = self._assignment.live
        for each in batch.partitions:
            if each.decision.entries:
                live[each.partition].write(each.decision.entries, live[each.partition].position)
        self._consumer.commit_transaction(batch.offsets)
        self._record_committed(batch)


class TrustingLoop(Loop):
    """Takes the state of a partition that comes back for what it was when it went."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._known: dict[int, PartitionStore] = {}

    def _follow_assignment(self) -> None:
        live, restorer = self._assignment.live, self._assignment._restorer
        self._known |= live
        super()._follow_assignment()
        for partition in [each for each in self._assignment.restoring if each in self._known]:
            restorer.cancel(partition)
            live[partition] = self._known[partition]
            self._consumer.resume([partition])


BUGS = {
    "offsets are committed before the updates": Variant(stream=HastyStream),
    "a producer is used again after a time-out": Variant(stream=ReusedProducer),
    "the position is taken for what was processed": Variant(stream=PositionStream),
    "a revoked partition is kept": Variant(stream=PossessiveStream),
    "state is restored to the last stable offset, and not held against it": Variant(
        reader=ShortSightedReader, history=CredulousCheck
    ),
    "what is committed, remembered and there is not held against each other": Variant(history=CredulousCheck),
    "the state is written before the commit": Variant(loop=EagerLoop),
    "local state is trusted after a foreign change": Variant(loop=TrustingLoop),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    assert next((seed for seed in SEEDS if run_seed(seed, variant=BUGS[bug]).violations), None) is not None


def test_batch_counted_twice_is_found() -> None:
    """Rare: one in thousands of seeds has two workers commit the same offset, of which one does not know its own."""
    found = run_seed(3853, variant=Variant(stream=CreditTakingStream)).violations
    assert any("more clicks were counted" in each for each in found)


def test_events_are_reduced_to_the_needed_faults() -> None:
    variant = BUGS["local state is trusted after a foreign change"]
    seed = next(seed for seed in SEEDS if run_seed(seed, variant=variant).violations)
    left_out, outcome = shrink(run_seed(seed, variant=variant), variant=variant)
    assert outcome.violations
    assert all(not run_seed(seed, left_out | {each.number}, variant).violations for each in outcome.faults)
