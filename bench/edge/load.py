"""`python -m bench.edge.load PORT TOKENS IDS`: browsers on kept connections; one JSON object with the figures.

With --rate requests begin at fixed times and a late one counts from when it was due; without it each connection asks
again as soon as it has its answer. IDS gets the id of each click whose answer has arrived whole.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import deque
from itertools import cycle
from pathlib import Path

import uvloop

HOST = "klik.example.com"
_HEADERS = (
    f"Host: {HOST}\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36\r\n"
    "Accept-Language: nl,en;q=0.8\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n\r\n"
)
_CLICK = b"link-actions-click: "
_CLICK_BYTES = 36
_GRACE_SECONDS = 10.0
"""Time for the last answers."""


class Crowd:
    """The requests that are due, the free connections, and what was answered."""

    def __init__(self, tokens: Path, *, is_paced: bool) -> None:
        self._requests = cycle(
            [f"GET /l/{each} HTTP/1.1\r\n{_HEADERS}".encode() for each in tokens.read_text().split()]
        )
        self._is_paced = is_paced
        self._due: deque[float] = deque()
        self._free: deque[Connection] = deque()
        self.is_over = False
        self.is_cut = False
        self.asked = 0
        self.statuses: dict[str, int] = {}
        self.click_ids: list[bytes] = []
        self.seconds: list[float] = []

    def fall_due(self, due: float) -> None:
        """Ask on a free connection, or as soon as there is one."""
        self._due.append(due)
        if self._free:
            self.next(self._free.popleft())

    def next(self, connection: "Connection") -> None:
        """Give a free connection something to do."""
        if self._is_paced and self._due:
            self._ask(connection, self._due.popleft())
        elif self._is_paced or self.is_over:
            self._free.append(connection)
        else:
            self._ask(connection, time.monotonic())

    def note(self, head: bytes, due: float) -> None:
        """Note an answer."""
        self.seconds.append(time.monotonic() - due)
        status = head[9:12].decode()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        at = head.find(_CLICK)
        if at >= 0:
            self.click_ids.append(head[at + len(_CLICK) :][:_CLICK_BYTES])

    def _ask(self, connection: "Connection", due: float) -> None:
        self.asked += 1
        connection.ask(next(self._requests), due)


class Connection(asyncio.Protocol):
    """One kept connection, which asks and waits for the answer in turn."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._received = b""
        self._asked_at = 0.0
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.WriteTransport) -> None:  # type: ignore[override]
        """Begin."""
        self._transport = transport
        self._crowd.next(self)

    def ask(self, request: bytes, due: float) -> None:
        """Send a request that was due at this time."""
        self._asked_at = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer without a body."""
        self._received += data
        if self._received.endswith(b"\r\n\r\n"):
            head, self._received = self._received, b""
            self._crowd.note(head, self._asked_at)
            self._crowd.next(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Note that the edge has gone."""
        self._crowd.is_cut = True


async def _run(options: argparse.Namespace) -> None:
    crowd, loop = Crowd(options.tokens, is_paced=options.rate > 0), asyncio.get_running_loop()
    for _ in range(options.connections):
        await loop.create_connection(lambda: Connection(crowd), "127.0.0.1", options.port)
    begun, late = time.monotonic(), time.monotonic() + options.seconds
    for number in range(int(options.rate * options.seconds)):
        due = begun + number / options.rate
        await asyncio.sleep(max(due - time.monotonic(), 0))
        crowd.fall_due(due)
    while time.monotonic() < late and not crowd.is_cut:
        await asyncio.sleep(0.01)
    crowd.is_over, deadline = True, time.monotonic() + _GRACE_SECONDS
    wanted = int(options.rate * options.seconds) or crowd.asked
    while len(crowd.seconds) < wanted and time.monotonic() < deadline and not crowd.is_cut:
        await asyncio.sleep(0.01)
    options.ids.write_bytes(b"\n".join(crowd.click_ids))
    sys.stdout.write(json.dumps(_figures(crowd, wanted, options.seconds)))


def _figures(crowd: Crowd, wanted: int, seconds: float) -> dict[str, object]:
    """Return the figures; a request without an answer has waited for ever."""
    waits = sorted(crowd.seconds) + [float("inf")] * (wanted - len(crowd.seconds))
    return {
        "answered": len(crowd.seconds),
        "statuses": crowd.statuses,
        "per_second": len(crowd.seconds) / seconds,
        "p50_ms": waits[len(waits) // 2] * 1e3,
        "p99_ms": waits[len(waits) * 99 // 100] * 1e3,
    }


def main() -> None:
    """Ask, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.edge.load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("tokens", type=Path, help="a token a line")
    parser.add_argument("ids", type=Path)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=32)
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
