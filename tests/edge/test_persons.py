"""Prefilling a form from a real HTTP service, which may be slow, wrong or away."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from edge.exchange import Answer, AnswerKind, Prefill, Prefilled
from edge.persons import MAX_ANSWER_BYTES, HttpPersons
from tests.support.patience import stretched

Reply = Callable[[BaseHTTPRequestHandler], None]


class Service:
    """An HTTP server on the loopback that answers with `reply`."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.reply: Reply = answering({})
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.asked.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
                service.reply(self)

            def log_request(self, *_args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/facts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.persons.ANSWER_SECONDS", stretched(0.3))


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.close()


def answering(body: object, status: int = 200) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)

    return reply


def slow(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(stretched(1))
    answering({"email": "late@example.com"})(handler)


def moved(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def shown(url: str) -> tuple[dict[str, str], list[Prefilled]]:
    """The facts that the page is filled with, and what is counted."""
    filled: list[dict[str, str]] = []
    counted: list[Prefilled] = []

    def fill(facts: Any) -> Answer:
        filled.append(dict(facts))
        return Answer(AnswerKind.FORM, 200, ())

    prefill = Prefill("acme", "p-1", ("email", "phone"), fill)

    async def ask() -> None:
        await HttpPersons(url, counted.append, time.monotonic)(prefill)

    asyncio.run(ask())
    (only,) = filled
    return only, counted


def test_facts_are_asked_in_the_body(service: Service) -> None:
    service.reply = answering({"email": "ann@example.com", "phone": None, "salary": "1"})
    assert shown(service.url) == ({"email": "ann@example.com"}, [Prefilled.FILLED])
    assert service.asked == [("/facts", {"tenant_id": "acme", "person_id": "p-1", "facts": ["email", "phone"]})]


def test_unknown_person_has_no_facts(service: Service) -> None:
    assert shown(service.url) == ({}, [Prefilled.UNKNOWN])


@pytest.mark.parametrize(
    "reply",
    [
        slow,
        moved,
        answering({"email": "a@example.com"}, 500),
        answering(b"<html>"),
        answering(b"\xff\xfe"),
        answering(["email"]),
        answering({"email": "a" * MAX_ANSWER_BYTES}),
        answering(b"[" * 60_000),
    ],
    ids=["slow", "redirect", "500", "HTML", "not UTF-8", "list", "large", "deep"],
)
def test_form_comes_empty_if_the_service_fails(
    service: Service, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    service.reply = reply
    begun = time.monotonic()
    with caplog.at_level(logging.DEBUG):
        assert shown(service.url) == ({}, [Prefilled.FAILED])
    assert time.monotonic() - begun < stretched(1)
    assert "p-1" not in caplog.text


def test_form_comes_empty_if_the_service_is_away(service: Service) -> None:
    service.close()
    assert shown(service.url) == ({}, [Prefilled.FAILED])
