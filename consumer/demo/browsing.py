"""People who click the first links of the sample in a browser, while the edge that answers them is killed."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import Event
from typing import Any

from consumer.demo.clicks import BROWSER, OPTIONAL_IDS
from consumer.demo.edge_process import EdgeProcess
from consumer.demo.failure import DemoFailed
from deploy.kafka.port import LOOPBACK
from schemas.token_payload import SentLink

PEOPLE = 4
"""People who click at the same time."""
PATIENCE_SECONDS = 30.0
TRY_AGAIN_SECONDS = 0.1
FETCH_MODE = "navigate"
"""Browsers send it with a click; the clicks that the demo publishes itself have no `fetch_mode`."""
_HEADERS = {"User-Agent": BROWSER, "Sec-Fetch-Mode": FETCH_MODE, "Sec-Fetch-User": "?1"}
_CLICK_HEADER = "Link-Actions-Click"


@dataclass(frozen=True, slots=True)
class Browsed:
    """The clicks that an edge answered."""

    click_ids: frozenset[str]
    """The clicks whose whole answer has arrived."""
    process_id: int
    """The process that was killed."""
    before: int
    """Answers before the kill."""

    def __str__(self) -> str:
        return (
            f"edge (process {self.process_id}) killed with SIGKILL after {self.before:,} answers over HTTP,"
            f" then restarted; {len(self.click_ids):,} clicks answered"
        )


NOTHING_BROWSED = Browsed(frozenset(), 0, 0)


def sent_link(click: Mapping[str, Any]) -> SentLink:
    """Return the link that a person clicks who makes this click, a LinkClicked."""
    ids: dict[str, Any] = {name: click[name] or None for name in OPTIONAL_IDS}
    return SentLink(click["link_id"], click["recipient_id"], **ids)


def browse(edge: EdgeProcess, clicks: Sequence[Mapping[str, Any]]) -> Browsed:
    """Click the links of these clicks, kill the edge half-way, start it again, and end it once all is published.

    Raises DemoFailed.
    """
    paths = [edge.path_of(sent_link(click)) for click in clicks]
    answered: list[str] = []
    gone = Event()
    with ThreadPoolExecutor(PEOPLE) as people:
        try:
            futures = [people.submit(_click, edge.port, paths[n::PEOPLE], answered, gone) for n in range(PEOPLE)]
            _wait_until_half(futures, answered, len(paths))
            process_id = edge.process_id
            edge.kill()
            before = len(answered)
            edge.start()
            for each in futures:
                each.result()
        finally:
            gone.set()
    edge.wait_until_taken_over()
    edge.send_sigterm()
    edge.wait_until_exited()
    return Browsed(frozenset(answered), process_id, before)


def _wait_until_half(people: Iterable[Future[None]], answered: Sequence[str], clicks: int) -> None:
    while len(answered) < clicks // 2:
        for each in people:
            if each.done():
                each.result()
        time.sleep(TRY_AGAIN_SECONDS / 100)


def _click(port: int, paths: Iterable[str], answered: list[str], gone: Event) -> None:
    """Click one link after the other, each until it is answered. Raises DemoFailed."""
    with closing(HTTPConnection(LOOPBACK, port, timeout=PATIENCE_SECONDS)) as connection:
        for path in paths:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while (click_id := _answer(connection, path)) is None:
                if gone.wait(TRY_AGAIN_SECONDS) or time.monotonic() > deadline:
                    raise DemoFailed(f"The edge did not answer a click within {PATIENCE_SECONDS:g} s")
            answered.append(click_id)


def _answer(connection: HTTPConnection, path: str) -> str | None:
    """Return the id of the click that was answered; None if the edge is away or not ready."""
    try:
        connection.request("GET", path, headers=_HEADERS)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException):
        connection.close()
        return None
    return answer.headers.get(_CLICK_HEADER)
