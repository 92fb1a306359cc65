"""Publishes what dead processes left in the spool."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from edge.publisher import ProducerFailed, Publisher, SpoolProducer
from edge.spool.folder import LockedFolder, abandoned_folders
from edge.spool.record import SpooledTopic
from edge.spool.spool import SpoolReader

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

    Damaged files are kept. Raises ProducerFailed; what was published until then is not published again.
    """
    published = 0
    for folder in abandoned_folders(spool):
        publisher = Publisher(SpoolReader(folder), open_producer, topics)
        is_done = False
        try:
            is_done = _publish_all(publisher, is_stopping)
        finally:
            published += publisher.published
            publisher.close()
            _finish(folder, publisher, is_done=is_done)
    return published


def _publish_all(publisher: Publisher, is_stopping: Callable[[], bool]) -> bool:
    """Return whether the broker has everything; False if the edge stops before."""
    while publisher.run_once(None) or publisher.unpublished:
        if is_stopping():
            return False
    return True


def _finish(folder: LockedFolder, publisher: Publisher, *, is_done: bool) -> None:
    for path in publisher.damaged:
        _LOG.error(
            "spool.damaged", file=str(path), detail="link-actions edge spool list shows it; its records are kept"
        )
    if is_done:
        folder.remove_if_done()
    else:
        folder.close()
    if publisher.published:
        _LOG.info("spool.taken_over", folder=folder.path.name, records=publisher.published)


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
