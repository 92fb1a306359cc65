"""The link definitions, followed while clicks are decided.

Every version lies as bytes in a local store, so a million links cost disk and no memory; only the links that are
being clicked are decoded and prepared, and forgotten again when they grow too many.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import structlog

from actions.definition import UnreadableDefinition, read_definition
from actions.kind import Kind
from consumer.decision.plan import LinkPlan, NoPlan, Planner
from consumer.ports import ConsumerRecord, LogReader, RetriableError
from consumer.state.store import StateStore
from schemas.bad_record import Reason
from schemas.click_batch import NO_VERSION
from schemas.codec import Codec
from schemas.definition_key import encode_link, newest_version, parse_definition_key

_LOG = structlog.get_logger(__name__)

DEFINITIONS = 0xFFFE
"""The definitions' place in the state store; partitions of the clicks have lower numbers."""
MAX_READY = 50_000
"""Plans kept ready, about 1 kB each without actions."""
LONGEST_READY_BYTES = 1_024
"""A click may name links as long as itself; a plan of such a one is made anew each time."""
_BATCH = 10_000
_VERSION_BYTES = 8
_STEPS = 64
"""How many version numbers are looked up at a time on the way down from one that was taken back."""
_LONGEST_GAP = 1_024
"""How many are looked up before all versions of the link are scanned for, which reads the whole store."""
_WAIT_SECONDS = 0.1
_PARTITION = 0


class Definitions:
    """Every version of every link that has been published. Implements `Plans`."""

    def __init__(
        self, reader: LogReader, state: StateStore, *, codec: Codec, kinds: Mapping[str, Kind], planner: Planner
    ) -> None:
        self._reader = reader
        self._codec = codec
        self._kinds = kinds
        self._planner = planner
        self._read = 0
        self._ready: dict[tuple[bytes, int], LinkPlan | None] = {}
        self._unreadable: dict[tuple[bytes, int], str] = {}
        self._store = state.open(DEFINITIONS, reader.topic_id())
        first, end = reader.watermarks([_PARTITION])[_PARTITION]
        if not first <= self._store.position <= end:
            self._store = state.reset(DEFINITIONS, reader.topic_id())
        reader.assign(_PARTITION, self._store.position)

    @property
    def ready(self) -> Mapping[tuple[bytes, int], LinkPlan | None]:
        """Plans that are prepared."""
        return self._ready

    def find(self, link_key: bytes, version: int) -> LinkPlan | None:
        """Prepare a plan and return it."""
        if (link_key, version) in self._unreadable:
            raise NoPlan(Reason.UNREADABLE_DEFINITION, self._unreadable[link_key, version])
        if len(self._ready) >= MAX_READY:
            self._ready = {}
        if len(self._unreadable) >= MAX_READY:
            self._unreadable.clear()
        plan = self._plan(link_key, version)
        if len(link_key) <= LONGEST_READY_BYTES:
            self._ready[link_key, version] = plan
        return plan

    def follow(self, timeout_seconds: float = 0) -> int:
        """Take in what has been published meanwhile; return how many versions that were. Raises RetriableError."""
        records = self._reader.poll(_BATCH, timeout_seconds)
        position = self._reader.positions[_PARTITION]
        if position != self._store.position:
            self._keep(records, position)
        self._read += len(records)
        return len(records)

    def take_read(self) -> int:
        """Return how many versions were read since the last call, by whichever method."""
        read, self._read = self._read, 0
        return read

    def catch_up(self, give_up: Callable[[], bool]) -> None:
        """Read everything published before this call, unless it is time to give up. Raises RetriableError."""
        _, end = self._reader.watermarks([_PARTITION])[_PARTITION]
        while self._reader.positions[_PARTITION] < end and not give_up():
            self.follow(_WAIT_SECONDS)

    def _keep(self, records: Iterable[ConsumerRecord], position: int) -> None:
        try:
            self._store.write(self._entries(records), position)
        except RetriableError:
            # Else the next write would leave them out and stand behind them.
            self._reader.unassign(_PARTITION)
            self._reader.assign(_PARTITION, self._store.position)
            raise

    def _entries(self, records: Iterable[ConsumerRecord]) -> dict[bytes, bytes | None]:
        entries: dict[bytes, bytes | None] = {}
        newest: dict[bytes, int] = {}
        outdated: set[tuple[bytes, int]] = set()
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
            for name in ((link_key, version), (link_key, NO_VERSION)):
                outdated.add(name)
                self._unreadable.pop(name, None)
        if not outdated.isdisjoint(self._ready):
            self._ready = {name: plan for name, plan in self._ready.items() if name not in outdated}
        known = self._store.get_many([_newest_key(link_key) for link_key in newest])
        for (link_key, version), value in zip(newest.items(), known, strict=True):
            highest = max(version, _number(value))
            entries[_newest_key(link_key)] = highest.to_bytes(8, "big")
        return entries

    def _plan(self, link_key: bytes, named: int) -> LinkPlan | None:
        found = self._newest(link_key) if named == NO_VERSION else (named, self._value(link_key, named))
        if found is None:
            return None
        version, value = found
        if value is None:
            raise NoPlan(Reason.UNKNOWN_VERSION, f"version {version} of the link is not defined")
        try:
            link = read_definition(link_key, version, value, codec=self._codec, kinds=self._kinds)
        except UnreadableDefinition as error:
            _LOG.error("definition.unreadable", version=version, detail=str(error))
            detail = f"version {version} of the link cannot be read; {_REMEDIES[error.newer]}"
            self._unreadable[link_key, named] = detail
            raise NoPlan(Reason.UNREADABLE_DEFINITION, detail) from error
        return self._planner.plan(link)

    def _value(self, link_key: bytes, version: int) -> bytes | None:
        return self._store.get_many([_version_key(link_key, version)])[0]

    def _newest(self, link_key: bytes) -> tuple[int, bytes] | None:
        return newest_version(self._versions_down(link_key, _number(self._store.get_many([_newest_key(link_key)])[0])))

    def _versions_down(self, link_key: bytes, highest: int) -> Iterator[tuple[int, bytes | None]]:
        """Yield the versions from the highest number ever published down."""
        lowest = max(highest - _LONGEST_GAP, 0)
        for top in range(highest, lowest, -_STEPS):
            versions = range(top, max(top - _STEPS, lowest), -1)
            values = self._store.get_many([_version_key(link_key, version) for version in versions])
            yield from zip(versions, values, strict=True)
        if lowest:
            entries = list(self._store.scan(_version_prefix(link_key)))
            yield from ((_number(key[-_VERSION_BYTES:]), value) for key, value in reversed(entries))


_REMEDIES = {
    True: "this worker may be older than the author's program; update it, then replay the dead letters",
    False: "it is no definition; publish the link again, then replay the dead letters",
}


def _version_key(link_key: bytes, version: int) -> bytes:
    return _version_prefix(link_key) + version.to_bytes(_VERSION_BYTES, "big")


def _version_prefix(link_key: bytes) -> bytes:
    return b"v" + link_key


def _newest_key(link_key: bytes) -> bytes:
    return b"n" + link_key


def _number(value: bytes | None) -> int:
    return int.from_bytes(value or b"", "big")
