"""Clients that send and read as slowly as they may, as slowhttptest does, and count how long they are borne."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.support.edge import HOST

Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

BYTE_SECONDS = 1.0
_HEAD = f"Host: {HOST}\r\n"
_RECEIVE_BYTES = 4_096
"""Size of the buffer of a client that reads slowly, which keeps the rest with the server."""


@dataclass(frozen=True, slots=True)
class Borne:
    """Connections opened, those that the server ended within the time, and after how many seconds the last one."""

    opened: int
    ended: int
    longest_seconds: float

    def __str__(self) -> str:
        return f"{self.ended} of {self.opened} connections ended, after {self.longest_seconds:.1f} s at most"


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Send nothing."""
    await reader.read()


async def slow_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send one header after the other, without an end (slowloris)."""
    writer.write(f"GET /l/x HTTP/1.1\r\n{_HEAD}".encode())
    await _drip(reader, writer, b"X: y\r\n")


async def slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a body byte by byte (R-U-Dead-Yet)."""
    writer.write(f"POST /l/x HTTP/1.1\r\n{_HEAD}Content-Length: 4096\r\n\r\n".encode())
    await _drip(reader, writer, b"x")


async def slow_read(path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask for a page again and again, and read a few bytes a second."""
    writer.write(f"GET {path} HTTP/1.1\r\n{_HEAD}\r\n".encode() * 20)
    while await reader.read(32):
        await asyncio.sleep(BYTE_SECONDS)


async def ranges(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask for thousands of ranges of one page (Apache Killer)."""
    wanted = ",".join(f"5-{each}" for each in range(1_300))
    writer.write(f"HEAD /l/x HTTP/1.1\r\n{_HEAD}Range: bytes=0-,{wanted}\r\nConnection: close\r\n\r\n".encode())
    await reader.read()


def attack_with(attacks: Sequence[Attack], port: int, *, connections: int, seconds: float) -> Borne:
    """Open that many connections, the attacks in turn, and return once the server has ended all or the time is over."""
    return asyncio.run(_attack(attacks, port, connections, seconds))


async def _attack(attacks: Sequence[Attack], port: int, connections: int, seconds: float) -> Borne:
    turns = [attacks[number % len(attacks)] for number in range(connections)]
    tasks = [asyncio.create_task(_borne(attack, port)) for attack in turns]
    done, pending = await asyncio.wait(tasks, timeout=seconds)
    for each in pending:
        each.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return Borne(connections, len(done), max((each.result() for each in done), default=0.0))


async def _borne(attack: Attack, port: int) -> float:
    """Return for how long the server bore one attack, in seconds."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
    client.setblocking(False)
    with client:
        begun = time.monotonic()
        with suppress(OSError):
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=client, limit=_RECEIVE_BYTES)
            begun = time.monotonic()
            try:
                await attack(reader, writer)
            finally:
                writer.close()
        return time.monotonic() - begun


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, part: bytes) -> None:
    ended = asyncio.ensure_future(reader.read())
    while not ended.done():
        writer.write(part)
        await asyncio.sleep(BYTE_SECONDS)
