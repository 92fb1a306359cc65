"""Records a click before its answer is sent: in the spool, or on the broker if the spool cannot take it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

import structlog

from edge.exchange import Answer, RecordedClick
from edge.flood_guard import FloodGuard
from edge.spool.record import SpooledRecord
from edge.spool.spool import Spool, SpoolFull

_LOG = structlog.get_logger(__name__)

BROKER_SECONDS = 0.25
"""Time that the broker has to acknowledge a record that the disk did not take."""


class Recording(StrEnum):
    """The result of recording an answered click."""

    RECORDED = "recorded"
    UNRECORDED = "unrecorded"
    """Neither spool nor broker took it, or the disk did not sync. It may still be published later."""
    FLOODED = "flooded"
    """Its token is clicked too often."""


class Direct(Protocol):
    """Publishes a record without the spool."""

    async def publish(self, record: SpooledRecord) -> bool:
        """Return whether the broker has acknowledged it."""


class Recorder:
    """Records clicks. `synced` waits until everything appended is synced to the disk; the broker is no fallback for it.

    `on_disk` is called with the reason if the spool begins to refuse, and with None at the next click that it takes.
    """

    def __init__(
        self,
        spool: Spool,
        direct: Direct,
        flood_guard: FloodGuard,
        on_disk: Callable[[str | None], None],
        *,
        synced: Callable[[], "asyncio.Future[bool]"] | None = None,
    ) -> None:
        self._spool = spool
        self._direct = direct
        self._flood_guard = flood_guard
        self._synced = synced
        self._on_disk = on_disk
        self._refusal: str | None = None

    async def __call__(self, answer: Answer, click: RecordedClick) -> tuple[Answer, Recording]:
        """Record the click; return the answer to send, and whether the click was recorded."""
        if not self._flood_guard.admits(click.token):
            return click.flooded(), Recording.FLOODED
        if await self._keep(click.records):
            return answer, Recording.RECORDED
        return click.unrecorded(), Recording.UNRECORDED

    def probe(self) -> None:
        """Notice that the disk takes records again although no click comes; nothing is tried while it does."""
        if self._refusal is not None:
            with suppress(SpoolFull):
                self._spool.prepare()
                self._note(None)

    async def _keep(self, records: Sequence[SpooledRecord]) -> bool:
        try:
            self._spool.append(*records)
            is_kept = self._synced is None or await self._synced()
            self._note(None if is_kept else "the disk of the spool does not sync")
        except SpoolFull as error:
            self._note(str(error))
            return await self._publish(records)
        return is_kept

    def _note(self, refusal: str | None) -> None:
        if refusal == self._refusal:
            return
        self._refusal = refusal
        self._on_disk(refusal)
        if refusal is None:
            _LOG.info("spool.recovered")
        else:
            _LOG.error("spool.refused", detail=refusal)

    async def _publish(self, records: Sequence[SpooledRecord]) -> bool:
        """Return whether the broker acknowledges all in time; a record that is late may be published all the same."""
        try:
            return all(await asyncio.wait_for(asyncio.gather(*map(self._direct.publish, records)), BROKER_SECONDS))
        except TimeoutError:
            return False
