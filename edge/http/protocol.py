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

_MAX_HEAD_BYTES = MAX_TARGET_BYTES + MAX_HEADER_BYTES
_REFUSAL = b"cache-control: no-store\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class LimitedProtocol(HttpToolsProtocol):
    """Closes the connection of a client that sends too much or something else than a path."""

    waiting_since: float | None = None
    """When the request that is being received began, by the loop's clock; None between requests."""
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
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever its type says
        if cycle and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        if self._has_begun:
            self.transport.write(STATUS_LINE[status] + _REFUSAL)
        self.transport.close()

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
    """Refuse the requests that are not complete after `REQUEST_SECONDS`; `now` is by the loop's clock."""
    for each in list(connections):
        if each.waiting_since is not None and now - each.waiting_since > REQUEST_SECONDS:
            each.refuse(HTTPStatus.REQUEST_TIMEOUT)
