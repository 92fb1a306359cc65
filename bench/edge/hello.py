"""uvicorn's bare redirect with the headers of an edge's answer: `python -m bench.edge.hello`."""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import uvicorn

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"location", b"https://www.example.com/offers/offer-00001"),
    (b"content-length", b"0"),
)


async def answer(_scope: object, _receive: object, send: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
    """Redirect."""
    await send({"type": "http.response.start", "status": 302, "headers": list(_HEADERS)})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(
        answer,
        port=int(os.environ["LINK_ACTIONS_EDGE_PORT"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
        lifespan="off",
        server_header=False,
    )
