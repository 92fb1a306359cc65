"""Facts about persons, to prefill forms: asked of the CRM's own service when a page is shown, and kept nowhere.

    POST EDGE_PERSONS_URL   {"tenant_id": "acme", "person_id": "1002", "facts": ["email", "first_name"]}
    200                     {"email": "ann@example.com", "first_name": "Ann"}

A fact that is not known is left out. Ids are in the body, because addresses end up in logs.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import httpx2
import structlog

from edge.exchange import Answer, Prefill, Prefilled
from edge.pages.form_answers import MAX_ANSWER_CHARACTERS
from runtime.monitoring.log_throttle import LogThrottle

_LOG = structlog.get_logger(__name__)

ANSWER_SECONDS = 0.3
"""A person waits this long at most; then the form comes empty."""
MAX_ANSWER_BYTES = 65_536
MAX_CONNECTIONS = 50


class _BadAnswer(Exception):
    """The service has answered something else than facts."""


class HttpPersons:
    """Asks an HTTP service; used on one event loop. `monotonic` is a clock in seconds.

    `count` is called with each result.
    """

    def __init__(self, url: str, count: Callable[[Prefilled], object], monotonic: Callable[[], float]) -> None:
        self._url = url
        self._count = count
        self._throttle = LogThrottle(monotonic)
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it reports each request with its address
        limits = httpx2.Limits(max_connections=MAX_CONNECTIONS)
        self._client = httpx2.AsyncClient(timeout=ANSWER_SECONDS, limits=limits, trust_env=False)

    async def __call__(self, prefill: Prefill) -> Answer:
        """Return the page, filled with the facts if they come in time."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                facts = await self._ask(prefill)
        except (TimeoutError, _BadAnswer, httpx2.HTTPError, httpx2.InvalidURL) as error:
            if self._throttle.is_due("persons.failed"):
                # Without the error's text, which may quote the answer.
                _LOG.warning("persons.failed", detail=f"{type(error).__name__}; forms come empty")
            self._count(Prefilled.FAILED)
            return prefill.fill({})
        self._count(Prefilled.FILLED if facts else Prefilled.UNKNOWN)
        return prefill.fill(facts)

    async def _ask(self, prefill: Prefill) -> Mapping[str, str]:
        """Return the facts asked for. Raises _BadAnswer, and what the client raises."""
        question = {"tenant_id": prefill.tenant_id, "person_id": prefill.person_id, "facts": prefill.facts}
        async with self._client.stream("POST", self._url, json=question) as response:
            if response.status_code != HTTPStatus.OK:
                raise _BadAnswer
            body = b""
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise _BadAnswer
        return _facts(body, prefill.facts)


def _facts(body: bytes, asked: tuple[str, ...]) -> Mapping[str, str]:
    """Read an answer; what was not asked for, is no text or is longer than an answer may be, is left out."""
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _BadAnswer from error
    if not isinstance(answer, dict):
        raise _BadAnswer
    found = {name: answer[name] for name in asked if isinstance(answer.get(name), str)}
    return {name: value for name, value in found.items() if 0 < len(value) <= MAX_ANSWER_CHARACTERS}
