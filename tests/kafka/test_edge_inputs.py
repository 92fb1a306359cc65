"""Nasty requests to one running edge: status and clicks of each, and a log that names no person."""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.kafka import Broker
from schemas.link_token import derive_key, sign
from schemas.token_payload import SentLink
from tests.builders import a_link, an_action
from tests.support.deployment import Deployment
from tests.support.edge import HOST, MASTER, EdgeProcess, link_path
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
RECIPIENT, AGENT, CLIENT = "r-secret-77", "Secret-Agent/7", "198.51.100.77"
PATH = link_path("spring", RECIPIENT)
TOKEN = PATH.removeprefix("/l/")
STRANGE_KEY = sign(derive_key(MASTER, 9, "acme"), SentLink("spring", RECIPIENT))
STRANGE_TENANT = sign(derive_key(MASTER, 1, "globex"), SentLink("spring", RECIPIENT))
COMMON = f"Host: {HOST}\r\nUser-Agent: {AGENT}\r\nConnection: close\r\n"
LONG = "x" * 9_000


def ask(target: str, *, method: str = "GET", headers: str = "", body: str = "", version: str = "HTTP/1.1") -> bytes:
    return f"{method} {target} {version}\r\n{COMMON}{headers}\r\n{body}".encode("latin-1")


def form(target: str, body: str, headers: str = "Content-Type: application/x-www-form-urlencoded\r\n") -> bytes:
    return ask(target, method="POST", headers=f"{headers}Content-Length: {len(body)}\r\n", body=body)


def changed(at: int) -> str:
    return f"/l/{TOKEN[:at]}{'A' if TOKEN[at] != 'A' else 'B'}{TOKEN[at + 1 :]}"


ROWS: list[tuple[str, bytes, list[int], int]] = [
    ("plain", ask(PATH), [302], 1),
    ("empty token", ask("/l/"), [404], 0),
    *((f"character {at} changed", ask(changed(at)), [404], 0) for at in range(0, len(TOKEN) - 1, 7)),
    ("unknown key", ask(f"/l/{STRANGE_KEY}"), [404], 0),
    ("another tenant's key", ask(f"/l/{STRANGE_TENANT}"), [404], 0),
    ("padded", ask(f"{PATH}=="), [404], 0),
    ("other alphabet", ask(f"/l/+/{TOKEN}"), [404], 0),
    *((f"trailing {end}", ask(PATH + end), [302], 1) for end in (">", ")", ".", "%22", "/", "&amp;utm=x", "?fbclid=1")),
    ("upper case", ask(f"/l/{TOKEN.upper()}"), [404], 0),
    ("lower case", ask(f"/l/{TOKEN.lower()}"), [404], 0),
    ("dots", ask(f"/l/%2e%2e/{TOKEN}"), [404], 0),
    ("double slash", ask(f"//l/{TOKEN}"), [404], 0),
    ("NUL", ask(f"/l/%00{TOKEN}"), [404], 0),
    ("header in the path", ask(f"/l/%0d%0aSet-Cookie:x/{TOKEN}"), [404], 0),
    ("8 KB token", ask("/l/" + "A" * 8_000), [404], 0),
    ("longer target", ask("/l/" + "A" * 8_190), [414], 0),
    ("1 MB target", ask("/l/" + "A" * 1_000_000), [431], 0),
    ("absolute target", ask(f"http://{HOST}{PATH}"), [400], 0),
    ("another host", f"GET {PATH} HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n".encode(), [404], 0),
    ("no host", f"GET {PATH} HTTP/1.1\r\nConnection: close\r\n\r\n".encode(), [400], 0),
    ("two hosts", ask(PATH, headers="Host: b.example\r\n"), [400], 0),
    ("HTTP/1.0", ask(PATH, version="HTTP/1.0"), [302], 1),
    ("HTTP/9.9", ask(PATH, version="HTTP/9.9"), [400], 0),
    ("HTTP/0.9", f"GET {PATH}\r\n\r\n".encode(), [400], 0),
    ("both lengths", ask(PATH, method="POST", headers="Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), [400], 0),
    ("bad chunk", ask(PATH, method="POST", headers="Transfer-Encoding: chunked\r\n", body="zz\r\n"), [400], 0),
    ("body of a GET", ask(PATH, headers="Content-Length: 5\r\n", body="hello"), [302], 1),
    ("HEAD", ask(PATH, method="HEAD"), [302], 0),
    ("OPTIONS", ask(PATH, method="OPTIONS"), [204], 0),
    *((method, ask(PATH, method=method), [405], 0) for method in ("TRACE", "PUT", "DELETE")),
    ("lower-case method", ask(PATH, method="get"), [400], 0),
    ("prefetch", ask(PATH, headers="Sec-Purpose: prefetch;prerender\r\n"), [503], 0),
    ("old prefetch", ask(PATH, headers="X-Moz: prefetch\r\n"), [503], 0),
    ("strange purpose", ask(PATH, headers="Sec-Purpose: ,,\r\n"), [302], 1),
    ("long headers", ask(PATH, headers=f"X: {LONG}\r\nY: {LONG}\r\n"), [431], 0),
    ("Latin-1 header", ask(PATH, headers="Accept-Language: \xe4\xf6\r\n"), [302], 1),
    ("control character", ask(PATH, headers="X: \x1f\r\n"), [400], 0),
    ("forged address", ask(PATH, headers=f"X-Forwarded-For: {CLIENT}, unknown, [::1]:80\r\n"), [302], 1),
    ("unknown link", ask(link_path("unknown", RECIPIENT)), [404], 0),
    ("POST without a page", form(PATH, ""), [303], 1),
    ("10 MB body", form(PATH, "x" * 10_000_000), [413], 0),
    ("one click to a redirect", form(PATH, "List-Unsubscribe=One-Click"), [200], 1),
    ("pipelined", ask(PATH).replace(b"Connection: close\r\n", b"") + ask(PATH), [302, 302], 2),
    ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400], 0),
]


@pytest.fixture
def edge(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[EdgeProcess]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    deployment.define(a_link(), a_link(an_action(), link_id="news"))
    edge = EdgeProcess(deployment.servers, deployment.prefix, deployment.folder).wait_edge()
    yield edge
    edge.kill()
    deployment.close()


def answer_to(edge: EdgeProcess, request: bytes) -> list[int]:
    """Send the bytes, and return the status of each answer until the connection ends."""
    received = b""
    with socket.create_connection(("127.0.0.1", edge.edge_port), timeout=20) as client:
        with suppress(ConnectionError):  # it may be refused before its end
            client.sendall(request)
        with suppress(ConnectionError):
            while part := client.recv(65_536):
                received += part
    return [int(each) for each in STATUS.findall(received)]


def clicks_of(edge: EdgeProcess) -> int:
    metrics = edge.metrics()
    return round(sum(metrics.get(("edge_clicks_total", fate), 0) for fate in ("recorded", "flooded")))


def test_nasty_requests(edge: EdgeProcess) -> None:
    wrong, clicks = [], 0
    for name, request, statuses, number in ROWS:
        found = answer_to(edge, request)
        if found != statuses and not (not found and statuses in ([413], [431])):  # a reset may overtake the answer
            wrong.append(f"{name}: {found}, not {statuses}")
        clicks += number
    assert wrong == []
    wait_until(lambda: clicks_of(edge) == clicks, lambda: f"{clicks} clicks, only {clicks_of(edge)}", timeout=5)
    assert edge.is_running
    for personal in (TOKEN, RECIPIENT, AGENT, CLIENT, "198.51.100"):
        assert personal not in edge.log
    assert edge.stop() == 0
