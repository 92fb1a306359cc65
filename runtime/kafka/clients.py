"""Kafka clients that share settings and credentials."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from runtime.config.kafka_settings import KafkaSettings
from runtime.kafka.backend import BACKENDS, best_backend
from runtime.kafka.client import (
    ClientConfig,
    admin_config,
    open_admin,
    open_consumer,
    open_producer,
    reader_config,
    worker_consumer_config,
    worker_producer_config,
)
from runtime.kafka.credentials import Credentials
from runtime.kafka.group_membership import CLASSIC
from runtime.kafka.log_reader import KafkaLogReader
from runtime.kafka.transactional_consumer import KafkaTransactionalConsumer
from runtime.ports import LogReader, TransactionalConsumer

_EOF_EVENTS = {"enable.partition.eof": True}
"""The library reports the end of a partition, control records included."""


@dataclass(frozen=True, slots=True)
class KafkaClients:
    """Opens clients that share settings and credentials."""

    settings: KafkaSettings
    credentials: Credentials = field(default_factory=lambda: Credentials(None), kw_only=True)
    membership: ClientConfig = field(default_factory=dict, kw_only=True)
    """Further properties of the consumer that joins the group."""

    def open_transactional_consumer(
        self, clicks: str, note_member: Callable[[str], object] = lambda _member_id: None
    ) -> TransactionalConsumer:
        """Open the consumer of the clicks topic and its producer; calls `note_member` with each new member id."""
        opened = self.credentials.open
        config = worker_consumer_config(self.settings) | _EOF_EVENTS | self.membership
        consumer = opened("group member", open_consumer, config, role="consumer")
        producer = partial(opened, "producer", open_producer, worker_producer_config(self.settings), role="producer")
        admin = opened("onlooker", open_admin, admin_config(self.settings), role="admin")
        return KafkaTransactionalConsumer(
            consumer,
            producer,
            admin,
            clicks,
            protocol=config.get("group.protocol", CLASSIC),
            backend=BACKENDS[best_backend()],
            note_member=note_member,
        )

    def open_reader(self, topic: str) -> LogReader:
        """Open a reader of one topic."""
        opened = self.credentials.open
        config = reader_config(self.settings) | _EOF_EVENTS
        consumer = opened(f"reader of {topic}", open_consumer, config, role="consumer")
        admin = opened(f"onlooker of {topic}", open_admin, admin_config(self.settings), role="admin")
        return KafkaLogReader(consumer, admin, topic)
