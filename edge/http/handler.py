"""Answers one request: decides, records the click, sends the answer, and counts it, in this order."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from edge.exchange import Answer, Prefill, RecordedClick, Request
from edge.recorder import Recording


class Respond(Protocol):
    """The pure part."""

    def __call__(self, request: Request) -> Answer:
        """Return the answer and what has to be recorded before it."""


class Record(Protocol):
    """Records clicks."""

    def __call__(self, click: RecordedClick) -> Recording | Awaitable[Recording]:
        """Record a click; return the result, or what to wait for until there is one."""


class FillIn(Protocol):
    """Fills a form with facts about the person."""

    async def __call__(self, prefill: Prefill) -> Answer:
        """Return the page, filled as far as possible; raises nothing."""


class Observe(Protocol):
    """Counts answers."""

    def __call__(self, answer: Answer, recording: Recording | None, seconds: float) -> None:
        """Count one; `recording` is None if there was no click."""


Send = Callable[[Answer], None]
_RECORDED = Recording.RECORDED


class Handler:
    """Answers at once unless recording or prefilling takes time: a task for each request would double what it costs."""

    def __init__(self, respond: Respond, record: Record, observe: Observe, fill_in: FillIn | None = None) -> None:
        """Without `fill_in`, forms come empty."""
        self._respond = respond
        self._record = record
        self._observe = observe
        self._fill_in = fill_in

    def __call__(self, request: Request, send: Send) -> "asyncio.Future[None] | None":
        """Send the answer before this returns, or before the future that it returns is done."""
        begun = time.perf_counter()
        answer = self._respond(request)
        if answer.click is None:
            self._finish(answer, None, send, begun)
            return None
        recording = self._record(answer.click)
        if not isinstance(recording, Recording) or answer.prefill is not None:
            return asyncio.ensure_future(self._wait(answer, recording, send, begun))
        if recording is not _RECORDED:
            answer = _unrecorded(answer, recording)
        self._finish(answer, recording, send, begun)
        return None

    async def _wait(
        self, answer: Answer, recording: Recording | Awaitable[Recording], send: Send, begun: float
    ) -> None:
        known = recording if isinstance(recording, Recording) else await recording
        if known is not _RECORDED:
            answer = _unrecorded(answer, known)
        if answer.prefill is not None and self._fill_in is not None:
            answer = (await self._fill_in(answer.prefill))._replace(click=answer.click, key_id=answer.key_id)
        self._finish(answer, known, send, begun)

    def _finish(self, answer: Answer, recording: Recording | None, send: Send, begun: float) -> None:
        send(answer)
        self._observe(answer, recording, time.perf_counter() - begun)


def _unrecorded(answer: Answer, recording: Recording) -> Answer:
    """Return the answer to a click that is not recorded."""
    return answer.if_rate_limited() if recording is Recording.RATE_LIMITED else answer.if_unrecorded()
