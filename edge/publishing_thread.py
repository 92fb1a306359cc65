"""The thread that publishes the spool of a running edge."""

import threading
import time
from collections.abc import Callable

from edge.publisher import ProducerFailed, Publisher
from edge.spool.position import Position

ROUND_SECONDS = 0.04
"""Pause between two rounds: each one wakes threads of the client library and takes the interpreter from the answers."""
FULL_ROUND = 1_000
"""Records of a round after which the next one begins at once."""
RETRY_SECONDS = 1.0
MAX_RETRY_SECONDS = 10.0


class Backoff:
    """The pause after a failure: twice the last one, as long as nothing is published."""

    def __init__(self) -> None:
        self._seconds = RETRY_SECONDS
        self._published = 0

    def next_seconds(self, published: int) -> float:
        """Return the pause; `published` is the number of records published so far."""
        is_stuck = published == self._published
        self._seconds = min(2 * self._seconds, MAX_RETRY_SECONDS) if is_stuck else RETRY_SECONDS
        self._published = published
        return self._seconds


class PublishingThread:
    """Publishes the spool of a running edge until it is stopped and every record is acknowledged."""

    def __init__(self, publisher: Publisher, end: Callable[[], Position], on_failure: Callable[[str], None]) -> None:
        self._publisher = publisher
        self._end = end
        self._on_failure = on_failure
        self._stop = threading.Event()
        self._is_done = False
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Stop once all is published, and return whether it was within the time-out."""
        self._stop.set()
        self._thread.join(timeout_seconds)
        return self._is_done

    def _run(self) -> None:
        backoff = Backoff()
        while not self._is_done:
            is_stopping = self._stop.is_set()
            try:
                committed = self._publisher.run_once(self._end())
            except (ProducerFailed, OSError) as error:
                self._on_failure(str(error))
                self._pause(backoff.next_seconds(self._publisher.published), is_stopping=is_stopping)
            else:
                self._is_done = is_stopping and self._publisher.is_done
                if committed < FULL_ROUND and not self._is_done:
                    self._pause(ROUND_SECONDS, is_stopping=is_stopping)
        self._publisher.close()

    def _pause(self, seconds: float, *, is_stopping: bool) -> None:
        if is_stopping:
            time.sleep(min(seconds, RETRY_SECONDS))
        else:
            self._stop.wait(seconds)
