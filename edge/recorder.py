"""Records a click before its answer is sent: in the spool, or on the broker if the spool cannot take it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

import structlog

from edge.exchange import RecordedClick
from edge.rate_limit import RateLimit
from edge.spool.record import SpooledRecord
from edge.spool.spool import Spool, SpoolFull

_LOG = structlog.get_logger(__name__)

BROKER_SECONDS = 0.25
"""Time that the broker has to acknowledge a record that the disk did not take."""


class Recording(StrEnum):
    """The result of recording an answered click."""

    __hash__ = str.__hash__  # that of an enumeration is Python code

    RECORDED = "recorded"
    UNRECORDED = "unrecorded"
    """Neither spool nor broker took it in time. If the broker takes it late, it is published all the same."""
    UNSYNCED = "unsynced"
    """It is in the spool and will be published, but a power cut may lose it: the disk did not sync."""
    RATE_LIMITED = "rate_limited"
    """Its token is clicked too often."""


_RECORDED = Recording.RECORDED


class RecordPublisher(Protocol):
    """Publishes a record past the spool."""

    async def publish(self, record: SpooledRecord) -> bool:
        """Return whether the broker has acknowledged it."""


class Recorder:
    """Records clicks. `synced` waits until everything appended is synced to the disk; the broker is no fallback for it.

    `on_disk` is called with the reason if the spool begins to refuse, and with None at the next click that it takes.
    """

    def __init__(
        self,
        spool: Spool,
        direct: RecordPublisher,
        rate_limit: RateLimit,
        on_disk: Callable[[str | None], None],
        *,
        synced: Callable[[], "asyncio.Future[bool]"] | None = None,
    ) -> None:
        self._spool = spool
        self._direct = direct
        self._rate_limit = rate_limit
        self._synced = synced
        self._on_disk = on_disk
        self._refusal: str | None = None

    def __call__(self, click: RecordedClick) -> Recording | Awaitable[Recording]:
        """Record the click, at once if that takes no time."""
        if not self._rate_limit.admits(click.token):
            return Recording.RATE_LIMITED
        try:
            self._spool.append(*click.records)
        except SpoolFull as error:
            self._note(str(error))
            return self._publish(click.records)
        if self._synced is not None:
            return self._sync(self._synced())
        if self._refusal is not None:
            self._note(None)
        return _RECORDED

    def probe(self) -> None:
        """Notice that the disk takes records again although no click comes; nothing is tried while it does."""
        if self._refusal is not None:
            with suppress(SpoolFull):
                self._spool.prepare()
                self._note(None)

    async def _sync(self, synced: "asyncio.Future[bool]") -> Recording:
        is_synced = await synced
        self._note(None if is_synced else "the disk of the spool does not sync")
        return Recording.RECORDED if is_synced else Recording.UNSYNCED

    def _note(self, refusal: str | None) -> None:
        if refusal == self._refusal:
            return
        self._refusal = refusal
        self._on_disk(refusal)
        if refusal is None:
            _LOG.info("spool.recovered")
        else:
            _LOG.error("spool.refused", detail=refusal)

    async def _publish(self, records: Sequence[SpooledRecord]) -> Recording:
        """Have the broker acknowledge all; one that is late may be published all the same."""
        acknowledged = asyncio.gather(*map(self._direct.publish, records))
        try:
            are_published = all(await asyncio.wait_for(acknowledged, BROKER_SECONDS))
        except TimeoutError:
            are_published = False
        return Recording.RECORDED if are_published else Recording.UNRECORDED
