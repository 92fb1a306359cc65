"""Queries the HTTP ports of all workers at the same time."""

import urllib.error
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Protocol

from runtime.monitoring.loopback import http_get

TIMEOUT_SECONDS = 2.0


class WorkerEndpoint(Protocol):
    """The name and port of a worker."""

    @property
    def name(self) -> str:
        """Its instance id."""

    @property
    def port(self) -> int | None:
        """Its port; None while it is starting or waits for its restart."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply of a worker; without a status if it has no port yet or does not answer."""

    has_port: bool
    status: HTTPStatus | None = None
    body: bytes = b""


def query_workers(workers: Iterable[WorkerEndpoint], path: str) -> Mapping[str, Reply]:
    """Return the reply of each worker by its name, after at most `TIMEOUT_SECONDS`."""
    workers = list(workers)
    with ThreadPoolExecutor(max(len(workers), 1)) as pool:
        replies = pool.map(partial(_ask, path=path), [worker.port for worker in workers])
        return {worker.name: reply for worker, reply in zip(workers, replies, strict=True)}


def _ask(port: int | None, *, path: str) -> Reply:
    if port is None:
        return Reply(has_port=False)
    try:
        with http_get(port, path, timeout_seconds=TIMEOUT_SECONDS) as response:
            return Reply(has_port=True, status=HTTPStatus(response.status), body=response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(has_port=True, status=HTTPStatus(error.code), body=error.read())
    except OSError:
        return Reply(has_port=True)
