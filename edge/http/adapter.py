"""The ASGI application: turns a request into a value, keeps what its answer records, and sends the answer."""

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, Protocol

from edge.exchange import Answer, Prefill, RecordedClick, Request
from edge.recorder import Recording

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CLICK_HEADER = b"link-actions-click"


class Respond(Protocol):
    """The pure part."""

    def __call__(self, request: Request) -> Answer:
        """Return the answer and what has to be recorded before it."""


class Record(Protocol):
    """Keeps clicks."""

    async def __call__(self, answer: Answer, click: RecordedClick) -> tuple[Answer, Recording]:
        """Keep a click; return the answer to send, and what became of the click."""


class FillIn(Protocol):
    """Fills a form with facts about the person."""

    async def __call__(self, prefill: Prefill) -> Answer:
        """Return the page, filled as far as possible; raises nothing."""


class Observe(Protocol):
    """Counts answers."""

    def __call__(self, answer: Answer, recording: Recording | None, seconds: float) -> None:
        """Count one; `recording` is None if there was no click."""


class EdgeApp:
    """Plain ASGI, version 3."""

    def __init__(self, respond: Respond, record: Record, observe: Observe, fill_in: FillIn | None = None) -> None:
        """Without `fill_in`, forms come empty."""
        self._respond = respond
        self._record = record
        self._observe = observe
        self._fill_in = fill_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        is_ambiguous = len(headers) < len(scope["headers"]) and _has_two_hosts(scope["headers"])
        body = await _body(receive) if scope["method"] == "POST" else b""
        if body is None:
            return
        begun = time.perf_counter()
        answer = self._respond(_request(scope, {} if is_ambiguous else headers, body))
        recording = None
        if answer.click is not None:
            answer, recording = await self._record(answer, answer.click)
            if answer.prefill is not None and self._fill_in is not None:
                answer = (await self._fill_in(answer.prefill))._replace(click=answer.click, key_id=answer.key_id)
        await _send(answer, send)
        self._observe(answer, recording, time.perf_counter() - begun)


def _request(scope: Scope, headers: Mapping[bytes, bytes], body: bytes) -> Request:
    client = scope["client"]
    return Request(scope["method"], scope["raw_path"], headers, body, client[0] if client else None)


def _has_two_hosts(headers: list[tuple[bytes, bytes]]) -> bool:
    return sum(name == b"host" for name, _ in headers) > 1


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body, which the protocol bounds; None if the client has gone."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _send(answer: Answer, send: Send) -> None:
    headers = list(answer.headers)
    if answer.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    if answer.click is not None:
        headers.append((CLICK_HEADER, answer.click.click_id.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
