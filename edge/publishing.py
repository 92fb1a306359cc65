"""The spool of a running edge with the threads that sync and publish it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

import structlog

from edge.metric_catalogue import RECORDS_PUBLISHED, SPOOL_BYTES, SPOOL_DAMAGED, SPOOL_OLDEST_SECONDS, SPOOL_REFUSED
from edge.metrics import EdgeMetrics
from edge.publisher import Publisher, SpoolProducer
from edge.publishing_thread import PublishingThread
from edge.settings import EdgeSettings, Sync
from edge.spool.files import files_of_all
from edge.spool.folder import DAMAGED, REFUSED, make_folder
from edge.spool.inventory import oldest_ms
from edge.spool.reader import SpoolReader
from edge.spool.record import SpooledTopic
from edge.spool.spool import Spool, size_bytes
from edge.sync_thread import SyncThread
from edge.takeover import TakeoverThread
from runtime.clock import Clock
from runtime.errors import Unavailable
from runtime.monitoring.log_throttle import LogThrottle

_LOG = structlog.get_logger(__name__)

PUBLISH_SECONDS = 20.0
"""Time to publish what is left when the edge stops; the rest waits in the spool for the next process."""
_THREAD_SECONDS = 2.0


class Publishing:
    """Opens the spool. Raises Unavailable if its folder cannot be written."""

    def __init__(
        self,
        settings: EdgeSettings,
        open_producer: Callable[[str], SpoolProducer],
        topics: Mapping[SpooledTopic, str],
        *,
        clock: Clock,
        metrics: EdgeMetrics,
    ) -> None:
        self._root = settings.edge_spool_dir
        self._clock = clock
        self._throttle = LogThrottle(clock.monotonic)
        try:
            self._folder = make_folder(self._root)
        except OSError as error:
            raise Unavailable(
                f"The spool {self._root} cannot be written ({error.strerror or error}); make it a folder of this user,"
                " or set LINK_ACTIONS_EDGE_SPOOL_DIR"
            ) from error
        self.spool = Spool(self._folder, limit_bytes=settings.edge_spool_limit)
        reader = SpoolReader(self._folder, self.spool.roll)
        count = partial(metrics.count, RECORDS_PUBLISHED)
        self._publisher = Publisher(reader, partial(open_producer, "publisher"), topics, lambda n: count(by=n))
        self._watch(metrics)
        self._publishing = PublishingThread(self._publisher, lambda: self.spool.end, self._on_failure)
        self._takeover = TakeoverThread(self._root, partial(open_producer, "takeover"), topics, self._on_failure)
        self._syncing = SyncThread(self.spool.sync, clock.monotonic)
        self.synced = self._syncing.synced if settings.edge_sync is Sync.POWER else None

    def start(self) -> None:
        """Start the threads."""
        for each in (self._publishing, self._takeover, self._syncing):
            each.start()

    def _watch(self, metrics: EdgeMetrics) -> None:
        """Show the spool in the metrics; read at each scrape."""
        metrics.watch(SPOOL_BYTES, lambda: size_bytes(self._root))
        metrics.watch(SPOOL_OLDEST_SECONDS, self._oldest_seconds)
        metrics.watch(SPOOL_DAMAGED, partial(self._count_files, DAMAGED))
        metrics.watch(SPOOL_REFUSED, partial(self._count_files, REFUSED))

    def _count_files(self, ending: str) -> int:
        return sum(1 for _ in files_of_all(self._root, with_part=ending))

    def finish(self) -> bool:
        """Publish what is left, within a time limit, and return whether everything is published."""
        self._takeover.stop(_THREAD_SECONDS)
        self._syncing.stop()
        self.spool.close()  # before the last round: only a closed segment is read to its end
        is_done = self._publishing.stop(PUBLISH_SECONDS)
        if is_done:
            with suppress(OSError):
                self._folder.remove_if_done()
                self._folder.close()
        else:
            _LOG.warning("spool.left", detail="the next process publishes what this one has answered")
        return is_done

    def _oldest_seconds(self) -> float:
        """Return the age of the oldest record of this process and of those that wait for their takeover."""
        own = self._publisher.oldest_ms
        others = oldest_ms(self._root, without=self._folder.path)
        oldest = min((each for each in (own, others) if each is not None), default=None)
        return 0.0 if oldest is None else max(self._clock.now_ms() - oldest, 0) / 1000

    def _on_failure(self, detail: str) -> None:
        if self._throttle.is_due("publish.failed"):
            _LOG.warning("publish.failed", detail=f"{detail}; the spool keeps what is answered")
