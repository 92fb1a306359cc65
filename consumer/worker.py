"""The composition root of `link-actions run`: everything is built here, from the settings, and passed in."""

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from actions.kind import Kind
from actions.registry import load_kinds
from consumer.bad_share import BadShare
from consumer.clock import SystemClock
from consumer.codecs import reading_codec, registered_writers, writing_frame
from consumer.decider import Decider
from consumer.decision.decision import Rules
from consumer.decision.plan import Planner
from consumer.definitions import Definitions
from consumer.errors import ExitCode
from consumer.health import Health, Phase
from consumer.http import HttpServer, routes
from consumer.kafka.client import (
    admin_config,
    open_admin,
    open_consumer,
    open_producer,
    reader_config,
    worker_consumer_config,
    worker_producer_config,
)
from consumer.kafka.log_reader import KafkaLogReader
from consumer.kafka.stream import KafkaClickStream
from consumer.kafka.topic_admin import KafkaTopicAdmin, inspect_topics
from consumer.kafka.topics import TopicNames
from consumer.loop import Loop, Pace, Parts
from consumer.metrics import Metrics
from consumer.observer import Observer
from consumer.registry import ConfluentSchemaRegistry, SchemaRegistry
from consumer.restore import Restorer
from consumer.settings import Settings
from consumer.state.rocksdb import RocksState
from consumer.state.store import StateStore
from consumer.streams import ClickStream
from consumer.version import versions
from consumer.writing import Writer
from schemas.click import ClickLayout, click_layout
from schemas.codec import single_object_frame
from schemas.record_schema import RecordSchema, load_schemas

_LOG = structlog.get_logger(__name__)

STOP_SECONDS = 4.5
"""How long leaving may take from the signal on; then the process ends as it is, for a crash loses nothing."""
_END_EVENTS = {"enable.partition.eof": True}

WrapStream = Callable[[ClickStream], ClickStream]


def run_worker(settings: Settings, *, drain: bool, wrap_stream: WrapStream = lambda stream: stream) -> None:
    """Run until SIGTERM or SIGINT or, draining, until all is done; then leave the group and close the state.

    `wrap_stream` lets a test come between the loop and Kafka. Raises a LinkActionsError for what a person must mend.
    """
    clock = SystemClock()
    schemas = load_schemas()
    wire = Wire(settings, schemas, load_kinds(schemas))
    partitions = inspect_topics(KafkaTopicAdmin(settings), wire.names).require()
    collectors = CollectorRegistry()
    metrics = Metrics(collectors, kinds=wire.kinds, versions=versions())
    health = Health(clock.monotonic)
    with ExitStack() as stack:
        is_stopping = stack.enter_context(stopping_on_signals(health))
        state = RocksState(settings.state_dir / settings.instance_id)
        stack.callback(state.close)
        server = HttpServer(settings.http_port, routes(collectors, health, versions()))
        server.start()
        stack.callback(server.stop)
        stream = wrap_stream(wire.open_stream())
        stack.callback(stream.close)
        definitions = wire.definitions(state)
        parts = Parts(
            stream=stream,
            definitions=definitions,
            restorer=Restorer(wire.open_reader(wire.names.changelog), state, partitions),
            decider=Decider(definitions, wire.click_layouts(), rules_of(settings, partitions), clock),
            writer=wire.writer(stream),
            bad_share=BadShare(settings.dead_letter_limit),
            observer=Observer(metrics, health, clock),
            clock=clock,
        )
        spare_the_garbage_collector()
        _LOG.info("worker.started", instance=settings.instance_id, partitions=partitions)
        Loop(parts, Pace(settings.commit_interval_ms / 1000, drain), partitions=partitions).run(is_stopping)
    _LOG.info("worker.stopped")


def spare_the_garbage_collector() -> None:
    """Let it look rarely, and never at what was built by now.

    A batch makes some hundred thousand objects and no cycles; looking for some took 0.9 µs of each click.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 10, 10)


def rules_of(settings: Settings, partitions: int) -> Rules:
    """Return what holds for every batch."""
    retention = settings.dedupe_retention
    return Rules(partitions, None if retention is None else retention // timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Wire:
    """Builds what speaks to Kafka and to the schema registry."""

    settings: Settings
    schemas: Mapping[str, RecordSchema]
    kinds: Mapping[str, Kind]

    @property
    def names(self) -> TopicNames:
        """The names of all topics."""
        return TopicNames(self.settings.topic_prefix, self.settings.group_id, tuple(self.kinds))

    def registry(self) -> SchemaRegistry | None:
        """Return the schema registry, where there is one."""
        url = self.settings.schema_registry_url
        return ConfluentSchemaRegistry(url) if url else None

    def open_stream(self) -> KafkaClickStream:
        """Join the group and be ready for transactions."""
        consumer = open_consumer(worker_consumer_config(self.settings) | _END_EVENTS)
        producer = partial(open_producer, worker_producer_config(self.settings))
        return KafkaClickStream(consumer, producer, open_admin(admin_config(self.settings)), self.names.clicks)

    def open_reader(self, topic: str) -> KafkaLogReader:
        """Open a reader of one topic."""
        consumer = open_consumer(reader_config(self.settings) | _END_EVENTS)
        return KafkaLogReader(consumer, open_admin(admin_config(self.settings)), topic)

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
        """Return the frames that may stand before a click, and how to walk what follows."""
        schema = self.schemas["LinkClicked"]
        layouts = {single_object_frame(schema): click_layout(schema)}
        for frame, writer in registered_writers(self.names.clicks, self.registry()):
            try:
                layouts[frame] = click_layout(writer)
            except ValueError as error:
                _LOG.warning("schema.refused", topic=self.names.clicks, reason=str(error))
        return layouts

    def writer(self, stream: ClickStream) -> Writer:
        """Return what writes decisions."""
        schema = self.schemas["LinkHits"]
        frame = writing_frame(self.names.hits, schema, self.registry()) or single_object_frame(schema)
        return Writer(stream, self.names, frame, versions()["link-actions"])


@contextmanager
def stopping_on_signals(health: Health) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether SIGTERM or SIGINT has come.

    The first signal starts a timer: a close that hangs, as it may during a rebalance, ends with the process.
    """
    stopping = threading.Event()
    timer = threading.Timer(STOP_SECONDS, os._exit, [ExitCode.DONE])
    timer.daemon = True

    def stop(_signal: int, _frame: object) -> None:
        if not stopping.is_set():
            health.enter(Phase.STOPPING)
            stopping.set()
            timer.start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping.is_set
    finally:
        timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
