"""The link definitions, followed while clicks are decided.

Every version lies as bytes in a local store, so a million links cost disk and no memory; only the links that are
being clicked are decoded and prepared, and forgotten again when they grow too many.
"""

from collections.abc import Callable, Iterable, Mapping

import structlog

from actions.kind import Kind
from actions.link import UnreadableLink, link_from_record
from consumer.decision.plan import LinkPlan, NoPlan, Planner
from consumer.state.store import StateStore
from consumer.streams import LogReader, Record, Unreachable
from schemas.bad_record import BadRecord, Reason
from schemas.click_batch import NO_VERSION
from schemas.codec import Codec, encode_text

_LOG = structlog.get_logger(__name__)

DEFINITIONS = 0xFFFE
"""The definitions' place in the state store; partitions of the clicks have lower numbers."""
MAX_READY = 50_000
"""Plans kept ready, about 1 kB each without actions."""
LONGEST_READY_BYTES = 1_024
"""A click may name links as long as itself; a plan of such a one is made anew each time."""
_LARGEST_VERSION = 2**63 - 1
_BATCH = 10_000
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
        self._ready: dict[tuple[bytes, int], LinkPlan | None] = {}
        self._unreadable: dict[tuple[bytes, int], str] = {}
        self._store = state.open(DEFINITIONS, reader.identity())
        first, end = reader.bounds([_PARTITION])[_PARTITION]
        if not first <= self._store.position <= end:
            self._store = state.reset(DEFINITIONS, reader.identity())
        reader.start(_PARTITION, self._store.position)

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
        """Take in what has been published meanwhile; return how many versions that were. Raises Unreachable."""
        records = self._reader.read(_BATCH, timeout_seconds)
        position = self._reader.positions[_PARTITION]
        if position != self._store.position:
            self._keep(records, position)
        return len(records)

    def catch_up(self, give_up: Callable[[], bool]) -> None:
        """Take in everything that was published before this call, unless it is time to give up. Raises Unreachable."""
        _, end = self._reader.bounds([_PARTITION])[_PARTITION]
        while self._reader.positions[_PARTITION] < end and not give_up():
            self.follow(_WAIT_SECONDS)

    def _keep(self, records: Iterable[Record], position: int) -> None:
        try:
            self._store.write(self._entries(records), position)
        except Unreachable:
            # Else the next write would leave them out and stand behind them.
            self._reader.stop(_PARTITION)
            self._reader.start(_PARTITION, self._store.position)
            raise

    def _entries(self, records: Iterable[Record]) -> dict[bytes, bytes | None]:
        entries: dict[bytes, bytes | None] = {}
        newest: dict[bytes, int] = {}
        outdated: set[tuple[bytes, int]] = set()
        for record in records:
            named = _parse_key(record.key())
            if named is None:
                _LOG.error("definition.ignored", offset=record.offset(), detail="its key is not tenant/link/version")
                continue
            link_key, version = named
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
        version = named
        if named == NO_VERSION:
            version = _number(self._store.get_many([_newest_key(link_key)])[0])
            if not version:
                return None
        (value,) = self._store.get_many([_version_key(link_key, version)])
        if value is None:
            raise NoPlan(Reason.UNKNOWN_VERSION, f"version {version} of the link is not defined")
        try:
            link = link_from_record(self._codec.decode(value), self._kinds)
            if (_link_key(link.tenant_id.encode(), link.link_id.encode()), link.version) != (link_key, version):
                raise UnreadableLink("it stands under the key of another version or link")
            return self._planner.plan(link)
        except (BadRecord, UnreadableLink) as error:
            _LOG.error("definition.unreadable", version=version, detail=str(error))
            detail = f"version {version} of the link cannot be read; this worker may be older than the author's program"
            self._unreadable[link_key, named] = detail
            raise NoPlan(Reason.UNREADABLE_DEFINITION, detail) from error


def _parse_key(key: bytes | None) -> tuple[bytes, int] | None:
    """Split `tenant_id/link_id/version`; a link id may hold slashes, the other two do not."""
    tenant_id, _, rest = (key or b"").partition(b"/")
    link_id, _, version = rest.rpartition(b"/")
    if not (tenant_id and link_id and version.isdigit() and len(version) <= len(str(_LARGEST_VERSION))):
        return None
    if not 0 < int(version) <= _LARGEST_VERSION:
        return None
    return _link_key(tenant_id, link_id), int(version)


def _link_key(tenant_id: bytes, link_id: bytes) -> bytes:
    return encode_text(tenant_id) + encode_text(link_id)


def _version_key(link_key: bytes, version: int) -> bytes:
    return b"v" + link_key + version.to_bytes(8, "big")


def _newest_key(link_key: bytes) -> bytes:
    return b"n" + link_key


def _number(value: bytes | None) -> int:
    return int.from_bytes(value or b"", "big")
