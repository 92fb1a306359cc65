"""An in-memory Kafka cluster: topics, groups and transactions behind one lock."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from confluent_kafka import murmur2

from runtime.clock import Clock
from runtime.fake_kafka.group import Group
from runtime.fake_kafka.partition_log import PartitionLog
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.refusal import Refusal
from runtime.fake_kafka.transactions import Act, TransactionCoordinator
from runtime.kafka.admin.topics import Cleanup
from runtime.kafka.client import DEFAULT_CLICK_BYTES

ANY_PARTITION = -1
"""Choose the partition by murmur2 of the key; without a key, in turn."""
RECORD_OVERHEAD = 70
"""Bytes that Kafka adds to key, value and headers of a single record, approximately."""


class UnknownTopic(Refusal):
    """The topic or partition does not exist."""


class RecordTooLarge(Refusal):
    """The record exceeds the topic's `max.message.bytes`."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A record without an offset yet; a timestamp of 0 becomes the time of the append."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    timestamp: int = 0

    @property
    def size(self) -> int:
        """Bytes that count against `max.message.bytes`."""
        headers = sum(len(name) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers + RECORD_OVERHEAD


@dataclass(slots=True)
class FakeTopic:
    """One topic; a topic that is created again under the same name has another `topic_id`."""

    name: str
    topic_id: str
    cleanup: Cleanup
    max_message_bytes: int
    logs: list[PartitionLog] = field(default_factory=list)

    def log(self, partition: int) -> PartitionLog:
        """Return one partition. Raises UnknownTopic."""
        if not 0 <= partition < len(self.logs):
            raise UnknownTopic(f"{self.name} has no partition {partition}")
        return self.logs[partition]


class FakeCluster:
    """The state of the in-memory Kafka. The caller holds `lock` for the whole of one step."""

    def __init__(
        self,
        clock: Clock,
        cluster_id: str = "memory",
        *,
        send_marker: Callable[[Act], None] = lambda arrive: arrive(),
    ) -> None:
        """`send_marker` delivers a transaction marker to a partition, at once or later."""
        self.clock = clock
        self.cluster_id = cluster_id
        self.lock = threading.RLock()
        self.transactions = TransactionCoordinator(clock.monotonic, send_marker)
        self._topics: dict[str, FakeTopic] = {}
        self._created = 0
        self._groups: dict[tuple[str, str], Group] = {}
        self._turns = 0

    @property
    def topics(self) -> Mapping[str, FakeTopic]:
        """All topics, by name."""
        return self._topics

    def create_topic(
        self,
        name: str,
        partitions: int,
        *,
        cleanup: Cleanup = Cleanup.DELETE,
        max_message_bytes: int = DEFAULT_CLICK_BYTES,
    ) -> None:
        """Create a topic; replace one of that name and delete the groups' offsets of it."""
        self._created += 1
        logs = [PartitionLog() for _ in range(partitions)]
        self._topics[name] = FakeTopic(name, f"topic-{self._created}", cleanup, max_message_bytes, logs)
        self._groups = {key: group for key, group in self._groups.items() if key[1] != name}

    def recreate_topic(self, name: str) -> None:
        """Delete a topic and create it again with the same settings and another id."""
        old = self.topic(name)
        self.create_topic(name, len(old.logs), cleanup=old.cleanup, max_message_bytes=old.max_message_bytes)

    def forget_offsets(self, group_id: str) -> None:
        """Delete all offsets of a group, as a broker does some days after its last member has left."""
        for (each, _), group in self._groups.items():
            if each == group_id:
                group.forget_offsets()

    def add_partitions(self, name: str, number: int) -> None:
        """Add partitions to a topic."""
        self.topic(name).logs.extend(PartitionLog() for _ in range(number))

    def topic(self, name: str) -> FakeTopic:
        """Return a topic. Raises UnknownTopic."""
        if name not in self._topics:
            raise UnknownTopic(f"there is no topic {name}")
        return self._topics[name]

    def group(self, group_id: str, topic: str) -> Group:
        """Return a group's state for one topic. Raises UnknownTopic."""
        self.topic(topic)
        if (group_id, topic) not in self._groups:
            self._groups[group_id, topic] = Group(lambda: len(self.topic(topic).logs), now=self.clock.monotonic)
        return self._groups[group_id, topic]

    def choose_partition(self, topic: str, key: bytes | None) -> int:
        """Return the partition of a key, as the Java client chooses it; without a key, each in turn."""
        partitions = len(self.topic(topic).logs)
        if key is not None:
            return int(murmur2(key, partitions))
        self._turns += 1
        return self._turns % partitions

    def append(self, topic: str, partition: int, draft: Draft) -> int:
        """Append a record outside any transaction and return its offset. Raises UnknownTopic or RecordTooLarge."""
        self.check_size(topic, draft)
        return self.topic(topic).log(partition).append(self.maker(topic, partition, draft), None)

    def check_size(self, topic: str, draft: Draft) -> None:
        """Raise RecordTooLarge if the record exceeds the topic's limit."""
        limit = self.topic(topic).max_message_bytes
        if draft.size > limit:
            raise RecordTooLarge(f"a record has {draft.size} bytes and {topic} takes {limit}")

    def maker(self, topic: str, partition: int, draft: Draft) -> Callable[[int], FakeRecord]:
        """Return a function that creates the record for its offset."""
        return partial(
            FakeRecord,
            (topic, partition),
            key=draft.key,
            value=draft.value,
            headers=draft.headers,
            timestamp=draft.timestamp or self.clock.now_ms(),
        )
