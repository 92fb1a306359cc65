"""The HTTP server of this process, on uvloop."""

import asyncio
import socket
from collections.abc import Callable

import uvloop

from edge.http.connection import Connection, Handle
from edge.http.connection_limit import ConnectionLimit, RefusedConnection
from edge.http.response import DateHeader

GRACE_SECONDS = 2.0
"""Time to finish what is being answered when the server stops."""
BACKLOG = 2_048
SEND_BYTES = 65_536
"""Unread bytes that the kernel takes for a connection; by itself it takes megabytes for a client that reads nothing."""
_TICK_SECONDS = 0.1
_TICKS_PER_SECOND = 10


class EdgeServer:
    """Serves until `is_stopping` returns true; then finishes what is being answered."""

    def __init__(
        self,
        handle: Handle,
        is_stopping: Callable[[], bool],
        beat: Callable[[], None],
        each_second: Callable[[], None],
        *,
        limit: ConnectionLimit,
    ) -> None:
        """While the event loop turns, `beat` is called ten times a second and `each_second` once."""
        self._handle = handle
        self._is_stopping = is_stopping
        self._beat = beat
        self._each_second = each_second
        self._limit = limit
        self._date = DateHeader()
        self.connections: set[Connection] = set()

    def run(self, listening: socket.socket) -> None:
        """Serve on this socket, which is closed at the end."""
        uvloop.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)  # its connections inherit it
        server = await loop.create_server(self._connection, sock=listening, backlog=BACKLOG)
        ticks = 0
        while not self._is_stopping():
            if ticks % _TICKS_PER_SECOND == 0:
                self._look_around(loop.time())
            ticks += 1
            await self._tick()
        server.close()
        await self._finish(loop.time() + GRACE_SECONDS)

    def _connection(self) -> asyncio.Protocol:
        if not self._limit.admits(len(self.connections)):
            return RefusedConnection()
        return Connection(self._handle, self._date, self.connections)

    def _look_around(self, now: float) -> None:
        self._date.refresh()
        self._each_second()
        unread_bytes = sum(each.unread_bytes for each in self.connections)
        is_crowded = self._limit.is_crowded(len(self.connections), unread_bytes)
        for each in tuple(self.connections):
            each.close_late(now, is_crowded=is_crowded)

    async def _tick(self) -> None:
        self._beat()
        await asyncio.sleep(_TICK_SECONDS)

    async def _finish(self, deadline: float) -> None:
        for each in tuple(self.connections):
            each.end()
        while self.connections and asyncio.get_running_loop().time() < deadline:
            await self._tick()
        for each in tuple(self.connections):
            each.abort()
