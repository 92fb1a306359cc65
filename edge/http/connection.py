"""One connection of a browser: requests in, answers out, in their order.

Nothing here is done with a timer per request; `close_late` looks at all connections once a second.
"""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Protocol, cast

from edge.exchange import COMMON_HEADERS, Answer, AnswerKind, Request
from edge.http.handler import Send
from edge.http.request_parser import Refused, RequestParser
from edge.http.response import CONTINUE, DateHeader, bytes_of

REQUEST_SECONDS = 10.0
"""From the first byte of a request to its last one; a silent new connection has the same time."""
KEEP_ALIVE_SECONDS = 15.0
"""From an answer to the next request."""
UNREAD_SECONDS = 20.0
"""For how long a client may leave a part of its answers unread."""
CROWDED_SECONDS = 2.0
"""For how long a client is waited for while there are very many connections or unread bytes."""
LINGER_SECONDS = 2.0
"""For how long the rest of a refused request is read and dropped."""
_MAX_ANSWERS = 16
"""Pipelined requests that are answered before other connections have their turn."""


class Handle(Protocol):
    """Answers a request."""

    def __call__(self, request: Request, send: Send) -> "asyncio.Future[None] | None":
        """Send the answer before this returns, or before the future that it returns is done."""


class Connection(asyncio.Protocol):
    """Answers what one client asks. Closes the connection after a request that is refused."""

    def __init__(self, handle: Handle, date: DateHeader, open_connections: "set[Connection]") -> None:
        """`open_connections` holds this one while it is open."""
        self._handle = handle
        self._date = date
        self._open_connections = open_connections
        self._transport: asyncio.Transport
        self._parser: RequestParser
        self._waiting: deque[tuple[Request, bool] | HTTPStatus] = deque()
        """Requests that are not answered yet; a status refuses what came after them."""
        self._current: tuple[Request, bool]
        self._answering: asyncio.Future[None] | None = None
        self._has_answered = self._is_ending = self._is_over = self._is_paused = self._is_full = False
        self._waits_since: float | None = None
        """When the client was first seen to be waited for, by the loop's clock."""
        self._unread_since: float | None = None
        """When an answer was first seen to be unread in part."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._parser = RequestParser(peer[0] if peer else None, self._waiting.append, self._continue)
        self._open_connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Drop what is not answered."""
        self._open_connections.discard(self)
        self._is_over = True

    def data_received(self, data: bytes) -> None:
        """Answer the requests that are whole now."""
        if self._is_over:
            return
        parser, was_within = self._parser, self._parser.is_within_request
        try:
            parser.feed(data)
        except Refused as refused:
            self._waiting.append(refused.status)
        if self._waiting or parser.is_within_request != was_within:
            self._waits_since = None
        self._answer()

    def pause_writing(self) -> None:
        """Answer nothing more until the client reads."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Answer again."""
        self._is_full = False
        self._answer()

    def close_late(self, now: float, *, is_crowded: bool = False) -> None:
        """Close the connection if its client sends or reads too slowly; `now` is by the loop's clock, in seconds.

        If it `is_crowded`, the client has less time.
        """
        self._close_silent(now, CROWDED_SECONDS if is_crowded else KEEP_ALIVE_SECONDS)
        if not self.unread_bytes:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > (CROWDED_SECONDS if is_crowded else UNREAD_SECONDS):
            self._transport.abort()

    @property
    def unread_bytes(self) -> int:
        """Bytes of answers that wait here for the client to read."""
        return self._transport.get_write_buffer_size()

    def end(self) -> None:
        """Close the connection after the answer that its client waits for; at once if it waits for none."""
        self._is_ending = True
        if not (self._is_busy or self._parser.is_within_request):
            self._close()

    def abort(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    @property
    def _is_busy(self) -> bool:
        return bool(self._waiting or self._answering)

    def _close_silent(self, now: float, longest_seconds: float) -> None:
        if self._is_busy:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = now
        elif now - self._waits_since > min(self._patience_seconds, longest_seconds):
            if self._parser.is_within_request and not self._is_over:
                self._refuse(HTTPStatus.REQUEST_TIMEOUT)
            else:
                self._close()

    @property
    def _patience_seconds(self) -> float:
        if self._is_over:
            return LINGER_SECONDS
        is_idle = self._has_answered and not self._parser.is_within_request
        return KEEP_ALIVE_SECONDS if is_idle else REQUEST_SECONDS

    def _answer(self) -> None:
        """Answer the requests that wait, some of them now if there are many."""
        waiting = self._waiting
        for _ in range(_MAX_ANSWERS):
            if not waiting or self._is_full or self._is_over or self._answering:
                break
            self._answer_next()
        else:
            asyncio.get_running_loop().call_soon(self._answer)
        if waiting or self._is_paused:
            self._read_while(is_idle=not waiting)

    def _answer_next(self) -> None:
        parsed = self._waiting.popleft()
        if isinstance(parsed, HTTPStatus):
            self._refuse(parsed)
            return
        self._current = parsed
        self._answering = self._handle(parsed[0], self._send)
        if self._answering:
            self._answering.add_done_callback(self._go_on)

    def _go_on(self, answered: "asyncio.Future[None]") -> None:
        self._answering = None
        if answered.exception():
            self._transport.abort()
        answered.result()  # raises the exception, which the loop logs
        self._answer()

    def _send(self, answer: Answer) -> None:
        request, keeps_alive = self._current
        is_last = self._is_ending or not keeps_alive
        self._has_answered = True
        if not self._is_over:
            self._transport.write(bytes_of(answer, self._date, is_head=request.method == "HEAD", is_last=is_last))
        if is_last:
            self._close()

    def _continue(self) -> None:
        if not self._is_busy:  # otherwise it would overtake an answer, and the client sends its body without it
            self._transport.write(CONTINUE)

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer with this status, and close the connection."""
        answer = Answer(AnswerKind.OTHER, status, COMMON_HEADERS)
        self._transport.write(bytes_of(answer, self._date, is_head=False, is_last=True))
        self._transport.write_eof()  # closed before its client has sent everything, it would be reset, unread
        self._drop_rest()

    def _close(self) -> None:
        self._drop_rest()
        self._transport.close()

    def _drop_rest(self) -> None:
        self._is_over = True
        self._waits_since = None
        self._waiting.clear()

    def _read_while(self, *, is_idle: bool) -> None:
        """Read from the client only while nothing waits, so that it cannot fill the memory."""
        if self._is_over or self._is_paused is not is_idle:
            return
        self._is_paused = not is_idle
        if is_idle:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
