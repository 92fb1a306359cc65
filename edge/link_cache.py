"""The links as the edge answers them: compiled from their definitions when clicked, dropped when published again.

One thread follows the topic while the event loop looks links up; a lock guards what they share.
"""

import time
from collections.abc import Callable, Collection
from threading import RLock
from typing import Generic, Protocol, TypeVar

import structlog

from actions.definition import UnreadableDefinition
from runtime.definitions.follower import DefinitionFollower, LinkVersion
from runtime.monitoring.log_throttle import LogThrottle
from runtime.ports import LogReader, RetriableError
from runtime.state.store import StateStore

_LOG = structlog.get_logger(__name__)

MAX_COMPILED = 20_000
"""Compiled links kept in memory, some kilobytes each; all others are on disk."""

Compiled = TypeVar("Compiled")
Found_co = TypeVar("Found_co", covariant=True)
Compile = Callable[[bytes, int, bytes], Compiled]
"""Makes a link of its key, version and definition. Raises UnreadableDefinition."""


class LinkNotReady(Exception):
    """The link is not known, and not all definitions have been read yet."""


class Links(Protocol[Found_co]):
    """Finds links."""

    def find(self, link_key: bytes) -> Found_co | None:
        """Return the newest version; None if it was never published.

        Raises LinkNotReady, UnreadableDefinition, and RetriableError if the disk refuses.
        """


class LinkCache(Generic[Compiled]):
    """Caches the newest version of each link that was clicked."""

    def __init__(
        self,
        reader: LogReader,
        state: StateStore,
        compile_link: Compile[Compiled],
        *,
        topic_id: str | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`topic_id` is that of a topic that an earlier process read to its end; None if there was no such process.

        `monotonic` is a clock in seconds.
        """
        self._throttle = LogThrottle(monotonic)
        self._compile = compile_link
        self._lock = RLock()
        self._compiled: dict[bytes, Compiled] = {}
        self.is_complete = topic_id is not None
        self._follower = DefinitionFollower(reader, state, self._forget, topic_id=topic_id, lock=self._lock)

    def find(self, link_key: bytes) -> Compiled | None:
        """Return the newest version, compiled before or now."""
        link = self._compiled.get(link_key)
        return self._load(link_key) if link is None else link

    def attach(self) -> str:
        """Connect to the topic and return its id. Raises RetriableError."""
        topic_id = self._follower.attach()
        with self._lock:
            self._compiled.clear()
            self.is_complete = self.is_complete and self._follower.position > 0  # it may be another topic
        return topic_id

    def follow(self, timeout_seconds: float) -> int:
        """Read what was published since the last call, and return the number of versions. Raises RetriableError."""
        return self._follower.follow(timeout_seconds)

    def catch_up(self, give_up: Callable[[], bool]) -> None:
        """Read everything published before this call, unless `give_up` returns true. Raises RetriableError."""
        self._follower.catch_up(give_up)
        self.is_complete = self.is_complete or not give_up()

    def _load(self, link_key: bytes) -> Compiled | None:
        try:
            return self._compile_newest(link_key)
        except UnreadableDefinition as error:
            self._log_seldom("link.unreadable", link_key.hex(), error)
            raise
        except RetriableError as error:
            self._log_seldom("state.refused", "", error)
            raise

    def _log_seldom(self, event: str, about: str, error: Exception) -> None:
        """Log the event once in a while for each link: strangers may click one a thousand times a second."""
        if self._throttle.is_due(f"{event} {about}"):
            _LOG.error(event, detail=str(error))

    def _compile_newest(self, link_key: bytes) -> Compiled | None:
        with self._lock:  # a version that is published meanwhile is not overwritten by the one before it
            found = self._follower.newest(link_key)
            if found is None:
                if self.is_complete:
                    return None
                raise LinkNotReady
            if len(self._compiled) >= MAX_COMPILED:
                self._compiled.clear()
            self._compiled[link_key] = link = self._compile(link_key, *found)
            return link

    def _forget(self, versions: Collection[LinkVersion]) -> None:
        for link_key, _ in versions:
            self._compiled.pop(link_key, None)
