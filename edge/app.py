"""The composition root of `link-actions edge run`: opens everything that an edge needs, from its settings."""

import gc
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from edge.click_encodings import ENCODINGS, best_encoding
from edge.click_ids import click_ids
from edge.click_record import ClickEncoder
from edge.direct_publisher import DirectPublisher
from edge.followed_topics import FollowedTopics
from edge.form_record import FormEncoder
from edge.health import EdgeHealth
from edge.http.connection_limit import ConnectionLimit, max_connections
from edge.http.handler import FillIn, Handler
from edge.http.listening import listen
from edge.http.server import EdgeServer
from edge.kafka_producer import open_record_producer, open_spool_producer
from edge.keyring import BadKeyring
from edge.metric_catalogue import PREFILLS
from edge.metrics import EdgeMetrics
from edge.network_table import NetworkTable
from edge.operator_files import OperatorFiles
from edge.publishing import PUBLISH_SECONDS, Publishing
from edge.rate_limit import RateLimit
from edge.recorder import Recorder
from edge.responder import Responder
from edge.return_urls import ReturnUrls
from edge.settings import EdgeSettings
from edge.spool.record import SpooledTopic
from edge.thread_failures import exiting_with_any_thread
from runtime.clock import SystemClock
from runtime.errors import ExitCode, Unavailable, UsageError
from runtime.kafka.credentials import Credentials
from runtime.monitoring.health import Phase
from runtime.monitoring.http import LOOPBACK, HttpServer, routes
from runtime.monitoring.version import versions
from runtime.monitoring.watchdog import Watchdog
from runtime.ports import RetriableError, StateRefused
from runtime.process.file_descriptors import limit as descriptor_limit
from runtime.process.malloc import limit_arenas
from runtime.process.parent_watch import ParentWatch
from runtime.process.shutdown import stopping_on_signals
from runtime.registry.codecs import writing_codec, writing_frame
from runtime.registry.registry import SchemaRegistry
from schemas.codec import single_object_frame
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

_LOG = structlog.get_logger(__name__)

_STOP_SECONDS = PUBLISH_SECONDS + 8


def run_edge(settings: EdgeSettings, *, parent_watch: ParentWatch | None = None) -> ExitCode:
    """Answer clicks until SIGTERM or SIGINT; return UNAVAILABLE if records are left in the spool.

    With a `parent_watch` the port for metrics serves the supervisor, on the loopback only, and several processes listen
    on the port for browsers. Raises a LinkActionsError if a person must fix something.
    """
    limit_arenas()
    clock = SystemClock()
    with ExitStack() as stack:
        stack.enter_context(exiting_with_any_thread())
        health = EdgeHealth(clock.monotonic)
        stack.enter_context(Watchdog(health))
        try:
            return _Edge(settings, stack, health, parent_watch, clock).run()
        except RetriableError as error:
            raise Unavailable(_why_not_started(error)) from error
        except BadKeyring as error:
            raise UsageError(
                f"The keyring cannot be used: {error}; fix it, or set LINK_ACTIONS_EDGE_KEYRING"
            ) from error


def _why_not_started(error: RetriableError) -> str:
    if isinstance(error, StateRefused):
        return f"The links cannot be stored: {error}"
    return f"An edge needs the broker at its first start, to read the links ({error}); run link-actions edge check"


@dataclass(frozen=True, slots=True)
class _Edge:
    """One edge while it starts and runs; the `stack` closes everything that it opens, in reverse order."""

    settings: EdgeSettings
    stack: ExitStack
    health: EdgeHealth
    parent_watch: ParentWatch | None
    clock: SystemClock

    def run(self) -> ExitCode:
        """Open everything, serve, and publish what is left."""
        settings, stack = self.settings, self.stack
        files = OperatorFiles(settings.edge_keyring, settings.edge_networks)
        metrics = self._serve_metrics()
        is_stopping = stack.enter_context(stopping_on_signals(self.health, stop_seconds=_STOP_SECONDS))
        credentials = stack.enter_context(Credentials(settings.kafka_config))
        names, topics = _names(settings), spooled_topics(settings)
        open_producer = partial(open_spool_producer, settings.kafka, credentials)
        publishing = Publishing(settings, open_producer, topics, clock=self.clock, metrics=metrics)
        followed = FollowedTopics(settings, stack, credentials, names=names, clock=self.clock)
        registry, return_urls = followed.registry, followed.open_return_urls()
        links = followed.open_links(partial(_refresh, files, return_urls), on_complete=self.health.complete_definitions)
        responder = Responder(
            links=links,
            keyring=lambda: files.keyring,
            unpack=ENCODINGS[best_encoding()].unpack,
            encoder=_encoder(names, registry),
            trusted_proxies=NetworkTable((each, True) for each in settings.edge_trusted_proxies),
            network_classes=lambda: files.networks,
            return_urls=return_urls,
            forms=FormEncoder(writing_codec(names.forms, load_schemas()["FormSubmitted"], registry)),
            now_ms=self.clock.now_ms,
            new_click_id=click_ids().__next__,
        )
        recorder = Recorder(
            publishing.spool,
            DirectPublisher(partial(open_record_producer, settings.kafka, credentials), topics),
            RateLimit(self.clock.now_ms),
            self.health.interrupt,
            synced=publishing.synced,
        )
        handler = Handler(responder, recorder, metrics.answered, self._persons(metrics))
        limit = ConnectionLimit(max_connections(descriptor_limit()), self.clock.monotonic)
        server = EdgeServer(handler, is_stopping, self.health.beat, recorder.probe, limit=limit)
        listening = listen(settings.edge_host, settings.edge_port, is_shared=self.parent_watch is not None)
        publishing.start()
        self.health.enter(Phase.RUNNING)
        _LOG.info("edge.started", instance=settings.instance_id, port=listening.getsockname()[1])
        tune_gc()
        server.run(listening)
        is_done = publishing.finish()
        _LOG.info("edge.stopped")
        return ExitCode.DONE if is_done else ExitCode.UNAVAILABLE

    def _persons(self, metrics: EdgeMetrics) -> FillIn | None:
        """Return what prefills forms; None if no service is set."""
        url = self.settings.edge_persons_url
        if url is None:
            return None
        from edge.persons import HttpPersons  # noqa: PLC0415 - its HTTP client takes 15 MiB

        return HttpPersons(url, partial(metrics.count, PREFILLS), self.clock.monotonic)

    def _serve_metrics(self) -> EdgeMetrics:
        """Open the port for metrics and probes, on which a supervisor may wait from now on."""
        metrics = EdgeMetrics(CollectorRegistry())
        host = LOOPBACK if self.parent_watch else self.settings.http_host
        server = HttpServer(self.settings.http_port, routes(metrics.exposition, self.health, versions()), host=host)
        server.start()
        self.stack.callback(server.stop)
        if self.parent_watch:
            self.parent_watch.tell_port(server.port)
        return metrics


def _refresh(files: OperatorFiles, return_urls: ReturnUrls) -> None:
    files.refresh()
    return_urls.follow()


def _encoder(names: TopicNames, registry: SchemaRegistry | None) -> ClickEncoder:
    schema = load_schemas()["LinkClicked"]
    return ClickEncoder(schema, writing_frame(names.clicks, schema, registry) or single_object_frame(schema))


def spooled_topics(settings: EdgeSettings) -> Mapping[SpooledTopic, str]:
    """Return the topic of each kind of record in the spool."""
    names = _names(settings)
    return {SpooledTopic.CLICKS: names.clicks, SpooledTopic.FORMS: names.forms}


def tune_gc() -> None:
    """Exempt existing objects from garbage collection, and collect seldom: a request leaves few reference cycles."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _names(settings: EdgeSettings) -> TopicNames:
    return TopicNames(settings.topic_prefix, settings.group_id, ())
