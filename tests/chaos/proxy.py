"""A TCP proxy between workers and a broker, in a separate process: cuts, silences or slows connections.

    python -m tests.chaos.proxy LISTEN_PORT BROKER_PORT

Orders come as lines on standard input, each answered by `done`:
`cut` resets all connections; `dangle` leaves the open ones half open forever: nothing passes, neither side learns it,
and new ones work; `delay MS` delays all traffic; `heal` resets what dangles and ends the delay.
"""

import asyncio
import socket
import struct
import sys
from contextlib import suppress

from deploy.kafka.port import LOOPBACK

CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """All connections, and what is done to them."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._delay_seconds = 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self._dangling: set[asyncio.StreamWriter] = set()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client to the broker until one of them ends; refuse it if the broker does not listen."""
        try:
            from_broker, to_broker = await asyncio.open_connection(LOOPBACK, self._broker_port)
        except OSError:
            _reset(writer)
            return
        ends = {writer, to_broker}
        self._open |= ends
        await asyncio.gather(self._pump(reader, to_broker), self._pump(from_broker, writer))
        self._open -= ends
        self._dangling -= ends

    def obey(self, order: str) -> None:
        """Carry out one order."""
        match order.split():
            case ["cut"]:
                self._reset(self._open)
            case ["dangle"]:
                self._dangling |= self._open
            case ["delay", milliseconds]:
                self._delay_seconds = int(milliseconds) / 1000
            case ["heal"]:
                self._delay_seconds = 0.0
                self._reset(self._dangling)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                if writer in self._dangling:
                    continue
                writer.write(data)
                await writer.drain()
        # A silenced connection does not even learn that its peer has gone.
        if writer not in self._dangling:
            writer.close()

    def _reset(self, writers: set[asyncio.StreamWriter]) -> None:
        for writer in [*writers]:
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as one that broke: with a reset, without what is still to be sent."""
    end: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


async def main(listen_port: int, broker_port: int) -> None:
    """Serve until standard input ends."""
    proxy = Proxy(broker_port)
    server = await asyncio.start_server(proxy.connect, LOOPBACK, listen_port)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while order := await orders.readline():
        proxy.obey(order.decode())
        print("done", flush=True)  # noqa: T201 - the answer
    server.close()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
