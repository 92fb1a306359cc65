"""What every simulated process is made of and none changes: loaded once, since that takes longer than a whole run."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from actions.link import Link
from consumer.app.clients import ClientFactory
from consumer.config.settings import Settings
from consumer.decision.outcome import BatchCounts
from consumer.decision.plan import LinkPlan, Planner
from consumer.fake_kafka.cluster import FakeCluster
from consumer.fake_kafka.log_reader import FakeLogReader
from consumer.fake_kafka.network import Network
from consumer.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from consumer.kafka.client import transactional_id
from consumer.loop.batch import Batch
from consumer.loop.definitions import Definitions
from consumer.loop.history_check import HistoryCheck
from consumer.loop.loop import Loop
from consumer.loop.observer import Observer
from consumer.monitoring.metric_catalogue import Stage, TransactionResult
from consumer.ports import AssignmentChange, ConsumerRecord
from consumer.state.store import StateStore
from schemas.click import ClickLayout
from schemas.topics import TopicNames
from tests.loop.fake_environment import GROUP, KINDS, LINKS, SCHEMAS

BITE = 7
"""Most records of one call of `consume`, so that a short run has many batches."""


class BitingStream(FakeTransactionalConsumer):
    """Hands out a few records at once."""

    def consume(self, limit: int, timeout_seconds: float) -> list[ConsumerRecord]:
        return [*super().consume(min(limit, BITE), timeout_seconds)]


@dataclass(frozen=True)
class Variant:
    """Of what the workers are built; a test may put a part with a bug in it."""

    stream: type[BitingStream] = BitingStream
    reader: type[FakeLogReader] = FakeLogReader
    loop: type[Loop] = Loop
    history: type[HistoryCheck] = HistoryCheck


class RememberingPlanner(Planner):
    """Plans each version of a link once, for all the workers that there ever are."""

    def __init__(self, frames: Mapping[str, bytes]) -> None:
        super().__init__(SCHEMAS, frames, "")
        self._plans: dict[str, LinkPlan] = {}

    def plan(self, link: Link) -> LinkPlan:
        shown = repr(link)
        if shown not in self._plans:
            self._plans[shown] = super().plan(link)
        return self._plans[shown]


@cache
def planner() -> RememberingPlanner:
    return RememberingPlanner(_plain_wire().update_frames())


@cache
def click_layouts() -> Mapping[bytes, ClickLayout]:
    return _plain_wire().click_layouts()


@cache
def topic_names() -> TopicNames:
    return _plain_wire().names


@cache
def settings_of(instance: str) -> Settings:
    return Settings(bootstrap_servers="twin:9092", group_id=GROUP, instance_id=instance)


def _plain_wire() -> ClientFactory:
    return ClientFactory(settings_of("anyone"), SCHEMAS, KINDS)


@dataclass(frozen=True, slots=True)
class SimulatedWire(ClientFactory):
    """What one process speaks to."""

    cluster: FakeCluster
    network: Network
    variant: Variant

    @property
    def names(self) -> TopicNames:
        return topic_names()

    def open_stream(self, note_member: object = None) -> BitingStream:  # noqa: ARG002 - the twin has no member to note
        return self.variant.stream(
            self.cluster,
            self.names.clicks,
            group_id=self.settings.group_id,
            transactional_id=transactional_id(self.settings.kafka),
            network=self.network,
        )

    def open_reader(self, topic: str) -> FakeLogReader:
        return self.variant.reader(self.cluster, topic, self.network)

    def definitions(self, state: StateStore) -> Definitions:
        reader = self.open_reader(self.names.definitions)
        return Definitions(reader, state, codec=LINKS, kinds=KINDS, planner=planner())

    def click_layouts(self) -> Mapping[bytes, ClickLayout]:
        return click_layouts()


class Tally(Observer):
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

    def turned(self) -> None: ...

    def joined(self, *, is_member: bool) -> None: ...

    def assigned(self, change: AssignmentChange, partitions: Collection[int], remaining: Mapping[int, int]) -> None: ...

    def restored(self, read: Mapping[int, int], remaining: Mapping[int, int]) -> None: ...

    def answered(self, *, is_all_done: bool) -> None: ...

    def lost(self, lost: Mapping[int, int]) -> None: ...

    def stages(self, stages: Mapping[Stage, float]) -> None: ...

    def lag(self, lag: Mapping[int, int]) -> None: ...

    def transaction(self, result: TransactionResult) -> None: ...
