"""The browsers of the edge's benchmark count what arrived, and a late answer from when its request was due."""

import json
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.edge.__main__ import report
from bench.edge.candidates import HELLO, SUBJECT
from bench.edge.rounds import Figures
from tests.support.patience import stretched

Handle = Callable[[socket.socket], None]


def answer(number: int) -> bytes:
    head = f"HTTP/1.1 302 Found\r\nlocation: /\r\nlink-actions-click: {number:036}\r\ncontent-length: 0\r\n\r\n"
    return head.encode()


@contextmanager
def serving(handle: Handle) -> Iterator[int]:
    """Serve each connection on a thread; yield the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            handle(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def loaded(port: int, folder: Path, *options: str) -> tuple[Mapping[str, Any], list[str]]:
    """Return the figures and the ids."""
    (folder / "tokens").write_text("one\ntwo")
    command = [sys.executable, "-m", "bench.edge.load", str(port), str(folder / "tokens"), str(folder / "ids")]
    told = subprocess.run([*command, *options], stdout=subprocess.PIPE, check=True, timeout=stretched(60)).stdout
    return json.loads(told), (folder / "ids").read_text().split()


def test_each_whole_answer_counts_once(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        while head := connection.recv(4_096):
            asked.append(head.split()[1])
            told = answer(len(asked))
            connection.sendall(told[:50])
            time.sleep(0.002)
            connection.sendall(told[50:])

    with serving(handle) as port:
        figures, ids = loaded(port, tmp_path, "--seconds", "0.5", "--rate", "100", "--connections", "1")

    assert (figures["answered"], figures["statuses"]) == (50, {"302": 50})
    assert ids == [f"{number:036}" for number in range(1, 51)]
    assert asked == [b"/l/one", b"/l/two"] * 25


def test_waiting_for_a_free_connection_counts(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        while connection.recv(4_096):
            time.sleep(0.05)
            connection.sendall(answer(1))

    with serving(handle) as port:
        figures, _ = loaded(port, tmp_path, "--seconds", "0.5", "--rate", "40", "--connections", "1")

    assert figures["answered"] == 20
    assert figures["p99_ms"] > 450  # the last one is due after 475 ms and answered after 1,000


def test_half_an_answer_before_a_kill_is_none(tmp_path: Path) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(4_096)
        connection.sendall(answer(1))
        connection.recv(4_096)
        connection.sendall(answer(2)[:-2])

    with serving(handle) as port:
        figures, ids = loaded(port, tmp_path, "--seconds", "5", "--connections", "1")

    assert (figures["answered"], ids) == (1, [f"{1:036}"])


def figures(candidate: str, cpu_us: float, *, lost: int = 0) -> Figures:
    return Figures(candidate, cpu_us, cpu_us, 1_000, 1, 2, 1, 2, 2, 50, 100, lost)


@pytest.mark.parametrize(("cpu_us", "lost", "results"), [(40, 0, "met met"), (50, 3, "not met not met")])
def test_aims_are_judged_by_ratios_and_losses(cpu_us: float, lost: int, results: str) -> None:
    lines = report([figures(HELLO.name, 20, lost=100), figures(SUBJECT.name, cpu_us, lost=lost)]).splitlines()
    judged = [line for line in lines if line.startswith(("| CPU / hello, full load", "| answered clicks lost"))]
    assert " ".join(line.split("|")[-2].strip() for line in judged) == results
