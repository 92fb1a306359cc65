"""The HTTP server on a real socket: limits, late clients, malformed requests. Each must leave the process answering."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge.exchange import Answer, RecordedClick
from edge.http import connection, connection_limit
from edge.http.connection_limit import MAX_CONNECTIONS, ConnectionLimit, max_connections
from edge.http.handler import Handler
from edge.http.server import EdgeServer
from edge.link import EdgeLink
from edge.network_table import Network
from edge.rate_limit import RateLimit
from edge.recorder import Recorder, Recording
from edge.spool.folder import make_folder
from edge.spool.reader import SpoolReader
from edge.spool.record import SpooledRecord
from edge.spool.spool import Spool
from tests.builders import NOON
from tests.edge.parts import CLICKS, a_responder, a_token, an_edge_link
from tests.edge.spooled import read_spool
from tests.support.waiting import wait_until

HEAD = "Host: klik.example.com\r\n"
LINK = f"/l/{a_token()}"
GET = f"GET {LINK} HTTP/1.1\r\n{HEAD}\r\n"
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class NoBroker:
    async def publish(self, record: SpooledRecord) -> bool:
        del record
        return False


class RunningServer:
    """A server on a thread, with what it recorded."""

    def __init__(
        self,
        folder: Path,
        *links: EdgeLink,
        proxies: tuple[Network, ...] = (),
        largest: int = MAX_CONNECTIONS,
    ) -> None:
        self._folder = make_folder(folder)
        self._spool = Spool(self._folder, limit_bytes=1 << 30, segment_bytes=1 << 20)
        self.recordings: list[Recording | None] = []
        recorder = Recorder(self._spool, NoBroker(), RateLimit(lambda: NOON, limit=1_000), lambda _refusal: None)
        handler = Handler(a_responder(*links, proxies=proxies), recorder, self._observe)
        self._is_stopping = False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = self.listening.getsockname()
        limit = ConnectionLimit(largest, time.monotonic)
        self._server = EdgeServer(handler, lambda: self._is_stopping, lambda: None, lambda: None, limit=limit)
        self._thread = threading.Thread(target=self._server.run, args=(self.listening,))
        self._thread.start()

    def _observe(self, answer: Answer, recording: Recording | None, seconds: float) -> None:
        assert seconds >= 0
        assert isinstance(answer.click, RecordedClick | None)
        self.recordings.append(recording)

    @property
    def connections(self) -> int:
        """Number of open connections."""
        return len(self._server.connections)

    @property
    def clicks(self) -> list[dict[str, Any]]:
        """The recorded clicks."""
        reader = SpoolReader(self._folder)
        try:
            return [CLICKS.decode(each.record.value) for each in read_spool(reader, self._spool.end)]
        finally:
            reader.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=20)

    def statuses(self, request: bytes) -> list[int]:
        """Send the bytes, and return the status of every answer until the server closes the connection."""
        with self.connect() as client:
            client.sendall(request)
            return [int(each) for each in STATUS.findall(read_all(client))]

    def close(self) -> None:
        self._is_stopping = True
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._spool.close()


def read_all(client: socket.socket) -> bytes:
    received = b""
    try:
        while part := client.recv(65_536):
            received += part
    except ConnectionError:
        pass
    return received


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path)
    yield server
    assert server.statuses((GET[:-2] + "Connection: close\r\n\r\n").encode()) == [302], "it does not answer any more"
    server.close()


CLOSING = "Connection: close\r\n"
LONG = "x" * 9_000


@pytest.mark.parametrize(
    ("request_text", "statuses", "clicks"),
    [
        (f"GET {LINK} HTTP/1.1\r\n{HEAD}{CLOSING}\r\n", [302], 1),
        (f"GET {LINK} HTTP/1.0\r\n{HEAD}\r\n", [302], 1),
        (f"GET {LINK}?fbclid=1#x HTTP/1.1\r\n{HEAD}{CLOSING}\r\n", [302], 1),
        (GET + f"GET {LINK} HTTP/1.1\r\n{HEAD}{CLOSING}\r\n", [302, 302], 2),
        (f"HEAD {LINK} HTTP/1.1\r\n{HEAD}{CLOSING}\r\n", [302], 0),
        (f"get {LINK} HTTP/1.1\r\n{HEAD}\r\n", [400], 0),
        (f"GET {LINK} HTTP/9.9\r\n{HEAD}\r\n", [400], 0),
        (f"GET {LINK}\r\n\r\n", [400], 0),
        (f"GET http://klik.example.com{LINK} HTTP/1.1\r\n{HEAD}\r\n", [400], 0),
        (f"GET {LINK} HTTP/1.1\r\n{CLOSING}\r\n", [400], 0),
        (f"GET {LINK} HTTP/1.1\r\n{HEAD}Host: other\r\n{CLOSING}\r\n", [400], 0),
        (f"GET {LINK} HTTP/1.1\r\nHost: \r\n{CLOSING}\r\n", [404], 0),
        (f"GET /{LONG} HTTP/1.1\r\n{HEAD}\r\n", [414], 0),
        (f"GET {LINK} HTTP/1.1\r\n{HEAD}X: {LONG}\r\nY: {LONG}\r\n\r\n", [431], 0),
        (f"GET {LINK} HTTP/1.1\r\n{HEAD}X: {LONG * 200}\r\n\r\n", [431], 0),
        (f"GET {LINK} HTTP/1.1\r\n{HEAD}" + "a: b\r\n" * 10_000 + "\r\n", [431], 0),
        (f"POST {LINK} HTTP/1.1\r\n{HEAD}Content-Length: 70000\r\n\r\n" + "x" * 70_000, [413], 0),
        (f"POST {LINK} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", [400], 0),
        (f"POST {LINK} HTTP/1.1\r\n{HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", [400], 0),
        (f"POST {LINK} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n", [400], 0),
        (f"GET {LINK} HTTP/1.1\r\n{HEAD}Content-Length: 5\r\n{CLOSING}\r\nhello", [302], 1),
        (f"GET {LINK} HTTP/1.1\r\n{HEAD}Upgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n", [302], 1),
        (
            f"GET {LINK} HTTP/1.1\r\n{HEAD}Upgrade: websocket\r\nConnection: Upgrade, close\r\nX: \x80\xff\r\n\r\n",
            [302],
            1,
        ),
        (f"CONNECT {LINK} HTTP/1.1\r\n{HEAD}{CLOSING}\r\n", [405], 0),
        (f"GET {LINK} HTTP/1.1\r\n{HEAD}User-Agent: \x01\x1f\xe4\r\n\r\n", [400], 0),
        (f"GET {LINK} HTTP/1.1\r\n{HEAD}User-Agent: \xe4\xf6 \U0001f600\r\n{CLOSING}\r\n", [302], 1),
        (f"GET {LINK} HTTP/1.1\n{HEAD}\n", [400], 0),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400], 0),
    ],
)
def test_odd_requests(server: RunningServer, request_text: str, statuses: list[int], clicks: int) -> None:
    assert server.statuses(request_text.encode("utf-8")) == statuses
    assert len(server.clicks) == clicks


def test_answer_names_the_recorded_click(server: RunningServer) -> None:
    with server.connect() as client:
        client.sendall((GET[:-2] + CLOSING + "\r\n").encode())
        answer = read_all(client)
    assert re.findall(rb"link-actions-click: (\S+)", answer) == [each["click_id"].encode() for each in server.clicks]


def test_half_a_request_then_close_makes_no_click(server: RunningServer) -> None:
    for part in ("\r\n\r\n", GET[:10], GET[:-2], f"POST {LINK} HTTP/1.1\r\n{HEAD}Content-Length: 9\r\n\r\nabc"):
        with server.connect() as client:
            client.sendall(part.encode())
    assert server.clicks == []


def test_late_and_silent_clients_are_closed(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 1.0)
    with server.connect() as silent, server.connect() as slow:
        slow.sendall(GET[:20].encode())
        begun = time.monotonic()
        assert read_all(silent) == b""
        assert STATUS.findall(read_all(slow)) == [b"408"]
        assert time.monotonic() - begun < 15
    assert server.clicks == []


def test_a_byte_at_a_time_is_no_way_to_stay(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 1.0)
    with server.connect() as client, suppress(ConnectionError):
        for byte in GET.encode():
            client.sendall(bytes([byte]))
            time.sleep(0.05)
    assert server.clicks == []


def test_client_that_reads_nothing_is_dropped(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "UNREAD_SECONDS", 1.0)
    with server.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.settimeout(1)
        with suppress(TimeoutError, ConnectionError):
            for _ in range(1_000):
                client.sendall((GET * 200).encode())
        wait_until(lambda: not server.connections, "end of the connection")


def test_unread_pages_take_little_memory(tmp_path: Path) -> None:
    """The kernel takes megabytes for a client that reads nothing, unless it is told not to."""
    text = ("link_actions.TextResponse", {"text": "<p>" + "y" * 100_000 + "</p>"})
    server = RunningServer(tmp_path, an_edge_link(url=None, response=text))
    try:
        assert server.statuses((GET[:-2] + CLOSING + "\r\n").encode()) == [200]  # it serves: its socket is set up
        with server.connect() as client:
            client.sendall(GET.encode() * 100)
            wait_until(lambda: len(server.recordings) > 1, "an answer")
            time.sleep(0.5)
            assert len(server.recordings) < 20
    finally:
        server.close()


def test_ten_thousand_pipelined_requests_are_answered(server: RunningServer) -> None:
    requests = (GET * 9_999 + GET[:-2] + CLOSING + "\r\n").encode()
    with server.connect() as client:
        sender = threading.Thread(target=client.sendall, args=(requests,))
        sender.start()
        answers = read_all(client)
        sender.join()
    assert [int(each) for each in STATUS.findall(answers)] == [302] * 10_000


@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        ("Expect: 100-continue\r\nContent-Length: 7\r\n\r\na=1&b=2", [100, 400]),
        ("Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3\r\na=1\r\n0\r\nX: y\r\n\r\n", [400]),
    ],
)
def test_bodies_as_some_clients_send_them(server: RunningServer, head: str, statuses: list[int]) -> None:
    assert server.statuses(f"POST {LINK} HTTP/1.1\r\n{HEAD}{CLOSING}{head}".encode()) == statuses


def test_many_idle_connections_keep_nobody_out(server: RunningServer) -> None:
    idle = [server.connect() for _ in range(300)]
    try:
        assert server.statuses((GET[:-2] + CLOSING + "\r\n").encode()) == [302]
    finally:
        for each in idle:
            each.close()


def test_connections_above_the_limit_are_closed_at_once_and_silent_ones_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CROWDED_SECONDS", 0.5)
    server = RunningServer(tmp_path, largest=20)
    idle = [server.connect() for _ in range(20)]
    try:
        wait_until(lambda: server.connections == 20, "all connections")
        with capture_logs() as lines:
            for _ in range(5):
                with server.connect() as refused:
                    refused.settimeout(5)
                    assert read_all(refused) == b""
        assert [line["event"] for line in lines] == ["connections.refused"]
        request = (GET[:-2] + "Connection: close\r\n\r\n").encode()
        wait_until(lambda: server.statuses(request) == [302], "answer", timeout=5)
    finally:
        for each in idle:
            each.close()
        server.close()


def test_clients_have_less_time_if_much_is_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CROWDED_SECONDS", 0.5)
    monkeypatch.setattr(connection_limit, "MAX_UNREAD_BYTES", 1_000)
    text = ("link_actions.TextResponse", {"text": "<p>" + "y" * 200_000 + "</p>"})
    server = RunningServer(tmp_path, an_edge_link(url=None, response=text))
    try:
        with server.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.sendall(GET.encode() * 20)
            wait_until(lambda: server.connections == 1, "connection")
            wait_until(lambda: server.connections == 0, "end of the connection", timeout=5)
    finally:
        server.close()


@pytest.mark.parametrize(
    ("descriptors", "connections"), [(None, 10_000), (1 << 20, 10_000), (1_024, 512), (200, 100), (64, 32)]
)
def test_limit_of_connections_follows_that_of_descriptors(descriptors: int | None, connections: int) -> None:
    assert max_connections(descriptors) == connections


def test_rate_limited_token_is_answered_and_not_recorded(server: RunningServer) -> None:
    requests = GET * 1_100 + GET[:-2] + CLOSING + "\r\n"
    assert server.statuses(requests.encode()) == [302] * 1_101
    wait_until(lambda: len(server.recordings) == 1_101, "all answers")
    assert server.recordings.count(Recording.RECORDED) == len(server.clicks) == 1_000
    assert server.recordings.count(Recording.RATE_LIMITED) == 101
