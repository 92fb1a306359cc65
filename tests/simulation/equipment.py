"""Immutable parts that all simulated processes share; loading them takes longer than a whole run."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache

from actions.link import Link
from consumer.app.record_formats import RecordFormats, update_frames
from consumer.decision.outcome import BatchCounts
from consumer.decision.plan import LinkPlan, Planner
from consumer.loop.batch import Batch
from consumer.loop.history_check import HistoryCheck
from consumer.loop.loop import Loop
from consumer.loop.observer import Observer
from consumer.monitoring.metric_catalogue import Stage
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from runtime.ports import AssignmentChange, ConsumerRecord
from runtime.stream.observer import TransactionResult
from tests.loop.fake_environment import KINDS, SCHEMAS, record_formats

MAX_POLL_RECORDS = 7
"""Most records of one call of `consume`, so that a short run has many batches."""


class BitingStream(FakeTransactionalConsumer):
    """Hands out a few records at once."""

    def consume(self, limit: int, timeout_seconds: float) -> list[ConsumerRecord]:
        return [*super().consume(min(limit, MAX_POLL_RECORDS), timeout_seconds)]


@dataclass(frozen=True)
class Variant:
    """The parts of the workers; a test may replace one with a faulty one."""

    stream: type[BitingStream] = BitingStream
    reader: type[FakeLogReader] = FakeLogReader
    loop: type[Loop] = Loop
    history: type[HistoryCheck] = HistoryCheck


class RememberingPlanner(Planner):
    """Plans each version of a link once for all workers."""

    def __init__(self, frames: Mapping[str, bytes]) -> None:
        super().__init__(SCHEMAS, frames, "")
        self._plans: dict[str, LinkPlan] = {}

    def plan(self, link: Link) -> LinkPlan:
        shown = repr(link)
        if shown not in self._plans:
            self._plans[shown] = super().plan(link)
        return self._plans[shown]


@cache
def formats() -> RecordFormats:
    """Return the formats with everything cached that would take longer than a whole run."""
    plain = record_formats()
    layouts = plain.read_click_layouts()
    planner = RememberingPlanner(update_frames(plain.names, SCHEMAS, KINDS))
    return replace(plain, planner=planner, read_click_layouts=lambda: layouts)


class CountingObserver(Observer):
    """Adds up what was committed, and nothing else."""

    def __init__(self) -> None:
        self.counts = BatchCounts()
        self.balanced = True

    def committed(self, batch: Batch) -> None:
        counts = batch.counts()
        self.balanced &= counts.balanced
        self.counts += counts

    def beat(self) -> None: ...

    def running(self) -> None: ...

    def refused(self, reason: str | None) -> None: ...

    def definitions_read(self, number: int) -> None: ...

    def interrupted(self, reason: str) -> None: ...

    def iterated(self) -> None: ...

    def joined(self, *, is_member: bool) -> None: ...

    def assigned(self, change: AssignmentChange, partitions: Collection[int], remaining: Mapping[int, int]) -> None: ...

    def restored(self, read: Mapping[int, int], remaining: Mapping[int, int]) -> None: ...

    def answered(self, *, is_all_done: bool) -> None: ...

    def skipped(self, skipped: Mapping[int, int]) -> None: ...

    def stages(self, stages: Mapping[Stage, float]) -> None: ...

    def lag(self, lag: Mapping[int, int]) -> None: ...

    def transaction(self, result: TransactionResult) -> None: ...
