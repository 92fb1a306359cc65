"""uvicorn's HTTP protocol with limits on what a stranger may send: size of target, headers and body, and time.

Nothing here is done per header or with a timer per request; `close_late` looks at all connections once a second.
"""

from asyncio import Transport
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

MAX_TARGET_BYTES = 8_192
MAX_HEADER_BYTES = 16_384
"""Names and values of all headers together."""
MAX_BODY_BYTES = 65_536
REQUEST_SECONDS = 10.0
"""From the first byte of a request to its last one; a silent new connection has the same time."""
UNREAD_SECONDS = 20.0
"""For how long a client may leave a part of its answers unread."""

_MAX_HEAD_BYTES = MAX_TARGET_BYTES + MAX_HEADER_BYTES
_REFUSAL = b"cache-control: no-store\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class LimitedProtocol(HttpToolsProtocol):
    """Closes the connection of a client that sends too much or something else than a path."""

    waiting_since: float | None = None
    """When the request that is being received began, by the loop's clock; None between requests."""
    unread_since: float | None = None
    """When an answer was first seen to be unread in part, by the loop's clock; None if all is sent."""
    _head_bytes = 0
    _is_in_head = True
    _has_begun = False
    _is_refused = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.waiting_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Parse a part of a request, unless it was refused already."""
        if self._is_refused:
            return
        if self.waiting_since is None:
            self.waiting_since = self.loop.time()
        self._has_begun = True
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > _MAX_HEAD_BYTES:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Start to answer the request, unless its head is beyond the limits or names something else than a path."""
        self._is_in_head = False
        status = self._problem_of_head()
        if status is None:
            super().on_headers_complete()
        else:
            self.refuse(status)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._is_refused:
            return
        super().on_body(body)
        if len(self.cycle.body) > MAX_BODY_BYTES:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def on_message_complete(self) -> None:
        """End a request."""
        self.waiting_since, self._head_bytes, self._is_in_head, self._has_begun = None, 0, True, False
        if not self._is_refused:
            super().on_message_complete()

    def refuse(self, status: HTTPStatus) -> None:
        """Answer with this status and close the connection."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._end_cycle()
        if self._has_begun:
            self.transport.write(STATUS_LINE[status] + _REFUSAL)
        self.transport.close()

    def close_late(self, now: float) -> None:
        """Close the connection if its client sends or reads too slowly."""
        if self.waiting_since is not None and now - self.waiting_since > REQUEST_SECONDS:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT)
        if not self.transport.get_write_buffer_size():
            self.unread_since = None
        elif self.unread_since is None:
            self.unread_since = now
        elif now - self.unread_since > UNREAD_SECONDS:
            self._end_cycle()
            self.transport.abort()

    def _end_cycle(self) -> None:
        """Let the application send nothing more."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever its type says
        if cycle and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()

    def _problem_of_head(self) -> HTTPStatus | None:
        if len(self.url) > MAX_TARGET_BYTES:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        if not self.url.startswith(b"/"):
            return HTTPStatus.BAD_REQUEST
        # What arrived so far is an upper bound, nearly always low enough.
        if self._head_bytes > MAX_HEADER_BYTES and sum(map(len, (b for pair in self.headers for b in pair))) > (
            MAX_HEADER_BYTES
        ):
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return None


def close_late(connections: Iterable[Any], now: float) -> None:
    """Close the connections of clients that send or read too slowly; `now` is by the loop's clock."""
    for each in list(connections):
        each.close_late(now)
