"""The in-memory fake, for scripts."""

from collections.abc import Callable
from typing import TypeVar

from runtime.fake_kafka.network import DirectNetwork, Lost
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from runtime.ports import TransactionalConsumer
from tests.ports.environment import GROUP
from tests.ports.fake_environment import FakeEnvironment
from tests.scenarios.environment import Snapshot

Answer = TypeVar("Answer")
ALL = 1_000


class LosingNetwork(DirectNetwork):
    """Loses one request that ends a transaction, on demand."""

    is_losing = False

    def ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        if self.is_losing and name == "EndTxn":
            self.is_losing = False
            raise Lost
        return super().ask(name, request)


class FakeScriptEnvironment(FakeEnvironment):
    def __init__(self) -> None:
        super().__init__()
        self._networks: dict[TransactionalConsumer, LosingNetwork] = {}

    def open_stream(self, topic: str, instance: str = "one") -> FakeTransactionalConsumer:
        network = LosingNetwork(self.cluster.lock)
        stream = FakeTransactionalConsumer(
            self.cluster, topic, group_id=GROUP, transactional_id=instance, network=network
        )
        self._networks[stream] = network
        return stream

    def settle(self, stream: TransactionalConsumer) -> None:
        """Records are in their partition at once."""

    def lose_the_end(self, stream: TransactionalConsumer) -> None:
        self._networks[stream].is_losing = True

    def expire(self, topic: str, instance: str) -> None:
        del topic  # The coordinator finds it by the instance.
        self.cluster.transactions.expire(instance)

    def begin_compaction(self, topic: str) -> None:
        """`compact` does it all."""

    def compact(self, topic: str) -> None:
        self.cluster.topic(topic).log(0).compact()

    def look(self, topic: str) -> Snapshot:
        log = self.cluster.topic(topic).log(0)
        committed, _ = log.read_committed(0, ALL)
        uncommitted, _ = log.read_uncommitted(0, ALL)
        return Snapshot(texts(committed), texts(uncommitted), log.stable_end, log.end)


def texts(records: list[FakeRecord]) -> list[str]:
    return [(record.value() or b"nothing").decode() for record in records]
