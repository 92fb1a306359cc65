"""Keeps links and the operator's files of a running edge up to date, while the broker is there and while it is not."""

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from edge.link import EdgeLink
from edge.link_cache import LinkCache
from runtime.monitoring.log_throttle import LogThrottle
from runtime.ports import RetriableError, StateRefused

_LOG = structlog.get_logger(__name__)

_WAIT_SECONDS = 0.5
_RETRY_SECONDS = 2.0


class FollowerThread:
    """Follows the topic of definitions, and the operator's files. `monotonic` is a clock in seconds."""

    def __init__(
        self,
        links: LinkCache[EdgeLink],
        refresh_files: Callable[[], None],
        *,
        topic_id_file: Path,
        on_complete: Callable[[], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._links = links
        self._refresh_files = refresh_files
        self._topic_id_file = topic_id_file
        self._on_complete = on_complete
        self._throttle = LogThrottle(monotonic)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        if self._links.is_complete:
            self._on_complete()
        topic_id = self._attach()
        while not self._stop.is_set():
            self._refresh_files()
            try:
                if topic_id is not None:
                    topic_id = self._catch_up(topic_id)
                self._links.follow(_WAIT_SECONDS)
            except (RetriableError, OSError) as error:
                self._warn(error)
                self._stop.wait(_RETRY_SECONDS)

    def _attach(self) -> str | None:
        """Connect to the topic as soon as there is a broker; None if the edge stops before."""
        while not self._stop.is_set():
            self._refresh_files()
            try:
                return self._links.attach()
            except RetriableError as error:
                self._warn(error)
                self._stop.wait(_RETRY_SECONDS)
        return None

    def _catch_up(self, topic_id: str) -> str | None:
        """Read the topic to its end, and note that a next process has all that was there. Return None once done."""
        self._links.catch_up(self._stop.is_set)
        if self._stop.is_set():
            return topic_id
        temporary = self._topic_id_file.with_suffix(".new")
        temporary.write_text(topic_id)
        Path(temporary).replace(self._topic_id_file)
        self._on_complete()
        return None

    def _warn(self, error: Exception) -> None:
        event = "state.refused" if isinstance(error, StateRefused | OSError) else "broker.lost"
        if self._throttle.is_due(event):
            _LOG.warning(event, detail=str(error))
