"""Nasty requests to one running edge: status and clicks of each, and a log that names no person."""

import re
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.kafka import Broker
from tests.builders import a_link
from tests.kafka.nasty_requests import AGENT, CLIENT, LINKS, PROXY, RECIPIENT, REFUSED_TARGETS, Row, ask, path, rows
from tests.kafka.test_edge import clicks_in_topic
from tests.support.deployment import Deployment
from tests.support.edge import EdgeProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
CLICK = re.compile(rb"\r\nlink-actions-click: (\S+)\r\n")
LOCATION = re.compile(rb"\r\nlocation: ([^\r\n]*)\r\n")
NETWORKS = "198.51.100.77/32 hosting\n"


@pytest.fixture
def deployment(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(kafka, topic_prefix, tmp_path).create_topics()
    deployment.define(*LINKS)
    yield deployment
    deployment.close()


@pytest.fixture
def edge(deployment: Deployment) -> Iterator[EdgeProcess]:
    networks = deployment.folder / "networks.txt"
    networks.write_text(NETWORKS)
    settings = {"LINK_ACTIONS_EDGE_TRUSTED_PROXIES": PROXY, "LINK_ACTIONS_EDGE_NETWORKS": str(networks)}
    edge = EdgeProcess(deployment.servers, deployment.prefix, deployment.folder, settings=settings).wait_edge()
    yield edge
    edge.kill()


def answers_to(edge: EdgeProcess, request: bytes, source: str = "127.0.0.1") -> bytes:
    """Send the bytes, and return the answers until the connection ends."""
    received = b""
    with socket.create_connection(("127.0.0.1", edge.edge_port), timeout=20, source_address=(source, 0)) as client:
        with suppress(ConnectionError):  # it may be refused before its end
            client.sendall(request)
        with suppress(ConnectionError):
            while part := client.recv(65_536):
                received += part
    return received


def problem_of(row: Row, received: bytes) -> str | None:
    statuses = [int(each) for each in STATUS.findall(received)]
    if not statuses and row.statuses in ([413], [431]):  # a reset may overtake the answer
        return None
    clicks = len(CLICK.findall(received))
    if (statuses, clicks) != (row.statuses, row.clicks):
        return f"{row.group} {row.name}: {statuses} and {clicks} clicks, not {row.statuses} and {row.clicks}"
    return None


def recorded(edge: EdgeProcess) -> int:
    return round(edge.metrics().get(("edge_clicks_total", "recorded"), 0))


def test_nasty_requests(edge: EdgeProcess, deployment: Deployment) -> None:
    wrong, ids, networks = [], 0, {}
    for row in rows():
        received = answers_to(edge, row.request, row.source)
        wrong.append(problem_of(row, received))
        ids += row.clicks
        if row.group == 17:
            networks[CLICK.findall(received)[0].decode()] = row.network
        assert b"set-cookie" not in received.lower().replace(b"%0d%0aset-cookie", b""), row.name
    assert "\n".join(each for each in wrong if each) == ""
    wait_until(lambda: recorded(edge) == ids, lambda: f"{ids} clicks, only {recorded(edge)}", timeout=5)
    for personal in (RECIPIENT, AGENT, CLIENT, "198.51.100", "/l/", *(each for each in REFUSED_TARGETS.values())):
        assert personal not in edge.log
    assert edge.stop() == 0
    clicks = {click["click_id"]: click for click in clicks_in_topic(deployment)}
    assert {each: clicks[each]["network"] for each in networks} == networks
    assert {each["network_class"] for each in clicks.values() if each["network"] == "198.51.100.0/24"} == {"hosting"}
    assert CLIENT not in str(clicks)


def test_impatient_clients_make_one_click_or_none(edge: EdgeProcess) -> None:
    """Half a request makes none; whole ones whose answer is not awaited make at most one each."""
    address = ("127.0.0.1", edge.edge_port)
    for part in (b"\r\n", ask(path())[:-10], ask(path())[:20]):
        with socket.create_connection(address, timeout=20) as client:
            client.sendall(part)
    assert recorded(edge) == 0
    for _ in range(10):
        client = socket.create_connection(address, timeout=20)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing is a reset
        client.sendall(ask(path()))
        client.close()
    assert STATUS.findall(answers_to(edge, ask(path()))) == [b"302"]
    assert recorded(edge) <= 11
    assert edge.is_running


def test_one_link_from_ten_sockets_is_ten_clicks(edge: EdgeProcess) -> None:
    request = ask(path())
    with ThreadPoolExecutor(10) as people:
        answers = [*people.map(lambda _: answers_to(edge, request), range(10))]
    assert [STATUS.findall(each) for each in answers] == [[b"302"]] * 10
    assert len({CLICK.findall(each)[0] for each in answers}) == 10


def test_link_is_answered_as_soon_as_it_is_defined(edge: EdgeProcess, deployment: Deployment) -> None:
    request = ask(path("later"))
    assert STATUS.findall(answers_to(edge, request)) == [b"404"]
    deployment.define(a_link(link_id="later"))
    wait_until(lambda: STATUS.findall(answers_to(edge, request)) == [b"302"], "answer of a new link")
