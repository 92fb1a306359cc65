"""The addresses that scripts have set for a recipient's next clicks on a link, followed on their topic.

They are kept on disk, so that a start without Kafka has them too. The compacted topic is read from its beginning at
each start, behind the answers: until an address was read, its recipient gets the link's own.
"""

from collections.abc import Callable, Mapping
from threading import RLock

import structlog

from edge.link import header_value
from runtime.errors import Unavailable
from runtime.monitoring.log_throttle import LogThrottle
from runtime.ports import LogReader, RetriableError
from runtime.state.store import BEGINNING, StateStore
from schemas.bad_record import BadRecord
from schemas.codec import Codec

_LOG = structlog.get_logger(__name__)

STORE = 0
"""Number of the store; that of the link definitions is another one."""
_COPY_OF = "return-urls"
_BATCH = 10_000
RETRY_SECONDS = 15.0


class ReturnUrls:
    """Finds addresses on the event loop while another thread follows the topic."""

    def __init__(
        self,
        reader: LogReader,
        state: StateStore,
        codec: Codec,
        *,
        partitions: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        """`codec` is that of `ReturnUrlSet`. `partitions` returns how many the topic has, and raises Unavailable."""
        self._reader = reader
        self._codec = codec
        self._partitions = partitions
        self._monotonic = monotonic
        self._throttle = LogThrottle(monotonic)
        self._attach_at = monotonic()
        self._lock = RLock()
        self._store = state.open(STORE, _COPY_OF)
        self._is_attached = False

    def find(self, tenant_id: str, link_id: str, recipient_id: str, *, epoch: int, now_ms: int) -> bytes | None:
        """Return the address as bytes of a header; None if none counts in this epoch of the link at this time."""
        with self._lock:
            (value,) = self._store.get_many([f"{tenant_id}/{link_id}/{recipient_id}".encode()])
        if value is None:
            return None
        try:
            found = self._codec.decode(value)
        except BadRecord:
            return None
        is_valid = found["epoch"] == epoch and now_ms < found["expires_at"]
        return header_value(found["url"]) if is_valid else None

    def follow(self) -> None:
        """Read what was published since the last call; while the broker does not answer, nothing is."""
        try:
            if not self._is_attached and not self._attach():
                return
            records = self._reader.poll(_BATCH, 0.0)
            if records:
                self._keep({record.key(): record.value() for record in records if record.key()})
        except (RetriableError, Unavailable) as error:
            if self._throttle.is_due("return_urls.delayed"):
                _LOG.warning("return_urls.delayed", detail=str(error))

    def _attach(self) -> bool:
        """Begin to read; return False if the last try was just now, since a try may wait for the broker."""
        if self._monotonic() < self._attach_at:
            return False
        self._attach_at = self._monotonic() + RETRY_SECONDS
        numbers = range(self._partitions())
        for partition, (first, _) in self._reader.watermarks(numbers).items():
            self._reader.assign(partition, first)
        self._is_attached = True
        return True

    def _keep(self, entries: Mapping[bytes, bytes | None]) -> None:
        with self._lock:
            self._store.write(entries, BEGINNING + 1)
