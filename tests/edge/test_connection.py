"""One connection without a socket: order of answers, refusals, and a client that keeps the server waiting."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from edge.exchange import COMMON_HEADERS, Answer, AnswerKind, Request
from edge.http.connection import KEEP_ALIVE_SECONDS, REQUEST_SECONDS, Connection, Handle
from edge.http.handler import Send
from edge.http.response import DateHeader

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_closed = self.is_ended = self.is_reading_paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 1) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.is_closed = True

    def write_eof(self) -> None:
        self.is_ended = True

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        self.is_reading_paused = False

    @property
    def statuses(self) -> list[int]:
        return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d+)", self.written)]


class Client:
    """A connection, and what it was asked; answers carry the path."""

    def __init__(self, handle: Handle | None = None) -> None:
        self.requests: list[Request] = []
        self.open: set[Connection] = set()
        self.transport = Transport()
        self.connection = Connection(handle or self._answer, DateHeader(), self.open)
        self.connection.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        self.connection.data_received(data)

    @property
    def bodies(self) -> list[bytes]:
        return re.findall(rb"\r\n\r\n(/\d+)", self.transport.written)

    def _answer(self, request: Request, send: Send) -> None:
        self.requests.append(request)
        send(Answer(AnswerKind.OTHER, 200, (), request.path))


def test_pipelined_requests_wait_for_an_answer_that_takes_time() -> None:
    async def ask() -> None:
        asked: list[bytes] = []

        def handle(request: Request, send: Send) -> "asyncio.Future[None]":
            asked.append(request.path)
            return asyncio.ensure_future(later(request, send))

        async def later(request: Request, send: Send) -> None:
            await asyncio.sleep(0.01)
            send(Answer(AnswerKind.OTHER, 200, (), request.path))

        client = Client(handle)
        client.send(b"".join(GET % number for number in range(5)) + b"no HTTP\r\n\r\n")
        assert (asked, client.transport.is_reading_paused) == ([b"/0"], True)
        async with asyncio.timeout(5):
            while not client.transport.is_ended:
                await asyncio.sleep(0.01)
        assert client.bodies == [b"/0", b"/1", b"/2", b"/3", b"/4"]
        assert client.transport.statuses == [200] * 5 + [400]

    asyncio.run(ask())


def test_many_pipelined_requests_give_others_their_turn() -> None:
    async def ask() -> None:
        client = Client()
        client.send(b"".join(GET % number for number in range(100)))
        assert 0 < len(client.requests) < 100
        assert client.transport.is_reading_paused
        async with asyncio.timeout(5):
            while len(client.requests) < 100:
                await asyncio.sleep(0)
        assert client.bodies == [b"/%d" % number for number in range(100)]
        assert not client.transport.is_reading_paused

    asyncio.run(ask())


def test_nothing_is_answered_while_the_client_does_not_read() -> None:
    client = Client()
    client.connection.pause_writing()
    client.send(GET % 1)
    assert client.requests == []
    client.connection.resume_writing()
    assert client.bodies == [b"/1"]


@pytest.mark.parametrize("request_bytes", [b"?\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"])
def test_refusal_has_the_headers_of_every_answer(request_bytes: bytes) -> None:
    client = Client()
    client.send(request_bytes)
    client.send(GET % 1)
    assert client.transport.statuses == [400]
    assert client.transport.is_ended
    for name, value in COMMON_HEADERS:
        assert b"\r\n%s: %s\r\n" % (name, value) in client.transport.written


def test_repeated_headers_are_one_list() -> None:
    client = Client()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\nX-FORWARDED-FOR: 192.0.2.8\r\n\r\n")
    assert client.requests[0].headers[b"x-forwarded-for"] == b"192.0.2.7, 192.0.2.8"


def test_client_that_upgrades_goes_on_in_http() -> None:
    client = Client()
    client.send(b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + GET % 2)
    assert client.bodies == [b"/1", b"/2"]


@contextmanager
def answered_client() -> Iterator[Client]:
    client = Client()
    client.send(GET % 1)
    yield client
    assert client.transport.is_closed


def test_idle_client_is_closed() -> None:
    with answered_client() as client:
        client.connection.close_late(100)
        client.connection.close_late(100 + KEEP_ALIVE_SECONDS)
        assert not client.transport.is_closed
        client.send(b"\r\n")  # is no request, and buys no time
        client.connection.close_late(101 + KEEP_ALIVE_SECONDS)
        assert client.transport.statuses == [200]


def test_late_request_is_refused() -> None:
    with answered_client() as client:
        client.connection.close_late(100)
        client.send(b"GET")
        client.connection.close_late(110)
        client.send(b" /")
        client.connection.close_late(110 + REQUEST_SECONDS)
        assert not client.transport.is_closed
        client.connection.close_late(111 + REQUEST_SECONDS)
        assert client.transport.statuses == [200, 408]
        client.connection.close_late(112 + REQUEST_SECONDS)
        assert not client.transport.is_closed  # what it still sends is read and dropped
        client.connection.close_late(115 + REQUEST_SECONDS)


def test_end_waits_for_the_request_that_is_being_received() -> None:
    with answered_client() as client:
        client.send(b"GET /2 HTTP/1.1\r\n")
        client.connection.end()
        assert not client.transport.is_closed
        client.send(b"Host: a\r\n\r\n")
        assert b"connection: close" in client.transport.written
    with answered_client() as client:
        client.connection.end()
