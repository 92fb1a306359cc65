"""Publishes what dead processes left in the spool."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import structlog

from edge.publisher import ProducerFailed, Publisher, SpoolProducer
from edge.publishing_thread import FULL_ROUND, ROUND_SECONDS
from edge.spool.folder import LockedFolder, abandoned_folders
from edge.spool.reader import SpoolReader
from edge.spool.record import SpooledTopic

_LOG = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""Time between two looks for folders whose process has ended."""


def publish_abandoned(
    spool: Path,
    open_producer: Callable[[], SpoolProducer],
    topics: Mapping[SpooledTopic, str],
    is_stopping: Callable[[], bool],
) -> int:
    """Publish the folders of dead processes, remove them, and return the number of their records.

    Damaged files are kept. Raises ProducerFailed or OSError once each folder was tried; what was published until then
    is not published again.
    """
    published = 0
    failure: ProducerFailed | OSError | None = None
    for folder in abandoned_folders(spool):
        try:
            published += _publish_folder(folder, open_producer, topics, is_stopping)
        except (ProducerFailed, OSError) as error:
            failure = error
    if failure:
        raise failure
    return published


def _publish_folder(
    folder: LockedFolder,
    open_producer: Callable[[], SpoolProducer],
    topics: Mapping[SpooledTopic, str],
    is_stopping: Callable[[], bool],
) -> int:
    with ExitStack() as stack:
        stack.callback(folder.close)
        publisher = Publisher(SpoolReader(folder), open_producer, topics)
        stack.callback(publisher.close)
        while not publisher.is_done:
            if is_stopping():
                return publisher.published
            if publisher.run_once(None) < FULL_ROUND:
                time.sleep(ROUND_SECONDS)
        folder.remove_if_done()
        if publisher.published:
            _LOG.info("spool.taken_over", folder=folder.path.name, records=publisher.published)
        return publisher.published


class TakeoverThread:
    """Looks for folders of dead processes until it is stopped."""

    def __init__(
        self,
        spool: Path,
        open_producer: Callable[[], SpoolProducer],
        topics: Mapping[SpooledTopic, str],
        on_failure: Callable[[str], None],
    ) -> None:
        self._spool = spool
        self._open_producer = open_producer
        self._topics = topics
        self._on_failure = on_failure
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="takeover", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Stop; what is not published waits for the next process."""
        self._stop.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                publish_abandoned(self._spool, self._open_producer, self._topics, self._stop.is_set)
            except (ProducerFailed, OSError) as error:
                self._on_failure(str(error))
            self._stop.wait(LOOK_SECONDS)
