"""Asking all workers the same thing at the same time, each on its own port of the loopback."""

import urllib.error
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Protocol

from consumer.monitoring.loopback import http_get

ANSWER_SECONDS = 2.0


class Asked(Protocol):
    """A worker that may be asked."""

    @property
    def name(self) -> str:
        """Its instance id."""

    @property
    def port(self) -> int | None:
        """Its port; None while it has none, since it is starting or waits to be started again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker answered; without a status where it has no port yet, or does not answer on it."""

    has_port: bool
    status: HTTPStatus | None = None
    body: bytes = b""


def query_workers(workers: Iterable[Asked], path: str) -> Mapping[str, Reply]:
    """Return the reply of each worker by its name, after at most `ANSWER_SECONDS`."""
    workers = list(workers)
    with ThreadPoolExecutor(max(len(workers), 1)) as pool:
        replies = pool.map(partial(_ask, path=path), [worker.port for worker in workers])
        return {worker.name: reply for worker, reply in zip(workers, replies, strict=True)}


def _ask(port: int | None, *, path: str) -> Reply:
    if port is None:
        return Reply(has_port=False)
    try:
        with http_get(port, path, timeout_seconds=ANSWER_SECONDS) as answer:
            return Reply(has_port=True, status=HTTPStatus(answer.status), body=answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return Reply(has_port=True, status=HTTPStatus(refused.code), body=refused.read())
    except OSError:
        return Reply(has_port=True)
