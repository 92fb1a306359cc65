"""What speaks to Kafka and to the schema registry, built from the settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog

from actions.kind import Kind
from consumer.config.settings import Settings
from consumer.decision.plan import Planner
from consumer.errors import Unavailable
from consumer.kafka.admin.namesakes import GroupMembers
from consumer.kafka.backend import BACKENDS, best_backend
from consumer.kafka.client import (
    ClientConfig,
    admin_config,
    open_admin,
    open_consumer,
    open_producer,
    reader_config,
    worker_consumer_config,
    worker_producer_config,
)
from consumer.kafka.credentials import Credentials
from consumer.kafka.log_reader import KafkaLogReader
from consumer.kafka.transactional_consumer import CLASSIC, KafkaTransactionalConsumer
from consumer.loop.definitions import Definitions
from consumer.loop.transaction_output import TransactionOutput
from consumer.monitoring.version import versions
from consumer.ports import LogReader, RetriableError, TransactionalConsumer
from consumer.registry.codecs import reading_codec, registered_writers, writing_frame
from consumer.registry.registry import SchemaRegistry, connect_registry
from consumer.state.store import StateStore
from schemas.click import ClickLayout, click_layout
from schemas.codec import single_object_frame
from schemas.record_schema import RecordSchema
from schemas.topics import TopicNames

_LOG = structlog.get_logger(__name__)

_END_EVENTS = {"enable.partition.eof": True}
"""How the library tells that a partition's end was met, control records included."""


@dataclass(frozen=True, slots=True)
class ClientFactory:
    """Builds what speaks to Kafka and to the schema registry."""

    settings: Settings
    schemas: Mapping[str, RecordSchema]
    kinds: Mapping[str, Kind]
    credentials: Credentials = field(default_factory=lambda: Credentials(None), kw_only=True)
    membership: ClientConfig = field(default_factory=dict, kw_only=True)
    """Further properties of the member of the group."""

    @property
    def names(self) -> TopicNames:
        """The names of all topics."""
        return TopicNames(self.settings.topic_prefix, self.settings.group_id, tuple(self.kinds))

    def registry(self) -> SchemaRegistry | None:
        """Return the schema registry, where there is one."""
        url = self.settings.schema_registry_url
        return connect_registry(url) if url else None

    def open_group(self) -> GroupMembers:
        """Be ready to ask who is in the group under this worker's name."""
        kafka = self.settings.kafka
        admin = self.credentials.open("onlooker of the group", open_admin, admin_config(kafka), role="admin")
        return GroupMembers(admin, kafka)

    def open_stream(self, note_member: Callable[[str], object] = lambda _member_id: None) -> TransactionalConsumer:
        """Be ready to join the group and for transactions; `note_member` is told each new member id."""
        opened, kafka = self.credentials.open, self.settings.kafka
        config = worker_consumer_config(kafka) | _END_EVENTS | self.membership
        consumer = opened("group member", open_consumer, config, role="consumer")
        producer = partial(opened, "producer", open_producer, worker_producer_config(kafka), role="producer")
        admin = opened("onlooker", open_admin, admin_config(kafka), role="admin")
        return KafkaTransactionalConsumer(
            consumer,
            producer,
            admin,
            self.names.clicks,
            protocol=config.get("group.protocol", CLASSIC),
            interface=BACKENDS[best_backend()],
            note_member=note_member,
        )

    def open_reader(self, topic: str) -> LogReader:
        """Open a reader of one topic."""
        opened, kafka = self.credentials.open, self.settings.kafka
        consumer = opened(f"reader of {topic}", open_consumer, reader_config(kafka) | _END_EVENTS, role="consumer")
        admin = opened(f"onlooker of {topic}", open_admin, admin_config(kafka), role="admin")
        return KafkaLogReader(consumer, admin, topic)

    def definitions(self, state: StateStore) -> Definitions:
        """Open the link definitions; they are not read yet."""
        topic = self.names.definitions
        codec = reading_codec(topic, self.schemas["LinkDefined"], self.registry())
        planner = Planner(self.schemas, self.update_frames(), self.settings.topic_prefix)
        return Definitions(self.open_reader(topic), state, codec=codec, kinds=self.kinds, planner=planner)

    def update_frames(self) -> Mapping[str, bytes]:
        """Return what stands before the body of each update, by record name."""
        registry = self.registry()
        frames = {}
        for kind in self.kinds.values():
            schema = self.schemas[kind.update]
            frame = writing_frame(self.names.update(kind.name), schema, registry)
            frames[kind.update] = frame or single_object_frame(schema)
        return frames

    def click_layouts(self) -> Mapping[bytes, ClickLayout]:
        """Return the frames that may stand before a click, and how to walk what follows.

        Raises RetriableError where the registry does not answer: until it does, nobody can tell a bad click.
        """
        schema = self.schemas["LinkClicked"]
        layouts = {single_object_frame(each): click_layout(each) for each in (schema, *schema.earlier)}
        try:
            registered = list(registered_writers(self.names.clicks, self.registry()))
        except Unavailable as error:
            raise RetriableError(str(error)) from error
        for frame, writer in registered:
            try:
                layouts[frame] = click_layout(writer)
            except ValueError as error:
                _LOG.warning("schema.refused", topic=self.names.clicks, reason=str(error))
        return layouts

    def writer(self, stream: TransactionalConsumer) -> TransactionOutput:
        """Return what writes decisions."""
        schema = self.schemas["LinkHits"]
        frame = writing_frame(self.names.hits, schema, self.registry()) or single_object_frame(schema)
        return TransactionOutput(stream, self.names, frame, versions()["link-actions"])
