"""Follows the topic of link definitions: every version of every link as bytes in a local store.

A million links cost disk and no memory. The store survives a restart, after which only newer versions are read. The
caller decodes the bytes.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import structlog

from runtime.ports import ConsumerRecord, LogReader, RetriableError
from runtime.state.store import StateStore
from schemas.click_batch import NO_VERSION
from schemas.definition_key import encode_link, newest_version, parse_definition_key

_LOG = structlog.get_logger(__name__)

DEFINITIONS = 0xFFFE
"""Number of the definitions in the state store; partitions of the clicks have lower ones."""
_BATCH = 10_000
_VERSION_BYTES = 8
_STEPS = 64
"""Version numbers looked up at a time on the way down from one that was withdrawn."""
_MAX_GAP = 1_024
"""Version numbers looked up before scanning for all versions of the link, which reads the whole store."""
_WAIT_SECONDS = 0.1
_PARTITION = 0


LinkVersion = tuple[bytes, int]
"""A link's key, as `encode_link` makes it, and a version; NO_VERSION means the newest one."""
OnPublished = Callable[[Collection[LinkVersion]], None]


class DefinitionFollower:
    """Every version of every link that has been published.

    `on_published` is called with each version read, and the newest one of its link, before they can be found. Given
    the `topic_id` that an earlier process has read, the follower offers what that one stored and asks no broker before
    `attach`; without it, it attaches at once, which raises RetriableError.
    """

    def __init__(
        self,
        reader: LogReader,
        state: StateStore,
        on_published: OnPublished = lambda _versions: None,
        *,
        topic_id: str | None = None,
        lock: AbstractContextManager[Any] = nullcontext(),  # noqa: B008 - it has no state
    ) -> None:
        """`lock` guards the store if one thread follows while others look links up; it must be reentrant."""
        self._reader = reader
        self._state = state
        self._on_published = on_published
        self._lock = lock
        self._attached: str | None = None
        self._read = 0
        self._store = state.open(DEFINITIONS, topic_id or reader.topic_id())
        if topic_id is None:
            self.attach()

    def attach(self) -> str:
        """Begin to read where the store ends, unless it has begun, and return the topic id. Raises RetriableError.

        The store is emptied first unless it is a copy of this topic.
        """
        if self._attached is not None:
            return self._attached
        topic_id = self._reader.topic_id()
        first, end = self._reader.watermarks([_PARTITION])[_PARTITION]
        with self._lock:
            self._store = self._state.open(DEFINITIONS, topic_id)
            if not first <= self._store.position <= end:
                self._store = self._state.reset(DEFINITIONS, topic_id)
        self._reader.assign(_PARTITION, self._store.position)
        self._attached = topic_id
        return topic_id

    def follow(self, timeout_seconds: float = 0) -> int:
        """Read the versions published since the last call, and return their number. Raises RetriableError."""
        records = self._reader.poll(_BATCH, timeout_seconds)
        position = self._reader.positions[_PARTITION]
        if position != self._store.position:
            self._keep(records, position)
        self._read += len(records)
        return len(records)

    @property
    def position(self) -> int:
        """Offset of the record to read next."""
        return self._store.position

    def take_read(self) -> int:
        """Return how many versions `follow` and `catch_up` have read since the last call."""
        read, self._read = self._read, 0
        return read

    def catch_up(self, give_up: Callable[[], bool]) -> None:
        """Read everything published before this call, unless it is time to give up. Raises RetriableError."""
        _, end = self._reader.watermarks([_PARTITION])[_PARTITION]
        while self._reader.positions[_PARTITION] < end and not give_up():
            self.follow(_WAIT_SECONDS)

    def _keep(self, records: Iterable[ConsumerRecord], position: int) -> None:
        try:
            with self._lock:
                self._store.write(self._entries(records), position)
        except RetriableError:
            # Otherwise the next write would skip these records but store a position past them.
            self._reader.unassign(_PARTITION)
            self._reader.assign(_PARTITION, self._store.position)
            raise

    def _entries(self, records: Iterable[ConsumerRecord]) -> dict[bytes, bytes | None]:
        entries: dict[bytes, bytes | None] = {}
        newest: dict[bytes, int] = {}
        published: set[LinkVersion] = set()
        for record in records:
            named = parse_definition_key(record.key())
            if named is None:
                _LOG.error("definition.ignored", offset=record.offset(), detail="its key is not tenant/link/version")
                continue
            tenant_id, link_id, version = named
            link_key = encode_link(tenant_id, link_id)
            if record.value() is None:
                _LOG.warning("definition.withdrawn", offset=record.offset(), version=version)
            entries[_version_key(link_key, version)] = record.value()
            newest[link_key] = max(version, newest.get(link_key, 0))
            published |= {(link_key, version), (link_key, NO_VERSION)}
        self._on_published(published)
        known = self._store.get_many([_newest_key(link_key) for link_key in newest])
        for (link_key, version), value in zip(newest.items(), known, strict=True):
            highest = max(version, _number(value))
            entries[_newest_key(link_key)] = highest.to_bytes(8, "big")
        return entries

    def version(self, link_key: bytes, version: int) -> bytes | None:
        """Return the definition, None if this version is not known or was withdrawn. Raises RetriableError."""
        with self._lock:
            return self._store.get_many([_version_key(link_key, version)])[0]

    def newest(self, link_key: bytes) -> tuple[int, bytes] | None:
        """Return the newest version that was not withdrawn, and its definition. Raises RetriableError."""
        with self._lock:
            highest = _number(self._store.get_many([_newest_key(link_key)])[0])
            return newest_version(self._versions_down(link_key, highest))

    def _versions_down(self, link_key: bytes, highest: int) -> Iterator[tuple[int, bytes | None]]:
        """Yield the versions from the highest number ever published down."""
        lowest = max(highest - _MAX_GAP, 0)
        for top in range(highest, lowest, -_STEPS):
            versions = range(top, max(top - _STEPS, lowest), -1)
            values = self._store.get_many([_version_key(link_key, version) for version in versions])
            yield from zip(versions, values, strict=True)
        if lowest:
            entries = list(self._store.scan(_version_prefix(link_key)))
            yield from ((_number(key[-_VERSION_BYTES:]), value) for key, value in reversed(entries))


def _version_key(link_key: bytes, version: int) -> bytes:
    return _version_prefix(link_key) + version.to_bytes(_VERSION_BYTES, "big")


def _version_prefix(link_key: bytes) -> bytes:
    return b"v" + link_key


def _newest_key(link_key: bytes) -> bytes:
    return b"n" + link_key


def _number(value: bytes | None) -> int:
    return int.from_bytes(value or b"", "big")
