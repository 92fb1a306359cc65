"""The plans of the links that are being clicked, made from their definitions and dropped when they grow too many."""

from collections.abc import Collection, Mapping

import structlog

from actions.definition import UnreadableDefinition, read_definition
from actions.kind import Kind
from consumer.decision.plan import LinkPlan, NoPlan, Planner
from runtime.definitions.follower import DefinitionFollower, LinkVersion
from runtime.ports import LogReader
from runtime.state.store import StateStore
from schemas.bad_record import Reason
from schemas.click_batch import NO_VERSION
from schemas.codec import Codec

_LOG = structlog.get_logger(__name__)

MAX_READY = 50_000
"""Plans kept ready, about 1 kB each without actions."""
MAX_READY_KEY_BYTES = 1_024
"""A click may name a link key as long as itself; the plan of a longer one is made each time."""


class PlanCache:
    """Plans by link and version. Implements `Plans`."""

    def __init__(
        self, reader: LogReader, state: StateStore, *, codec: Codec, kinds: Mapping[str, Kind], planner: Planner
    ) -> None:
        self._codec = codec
        self._kinds = kinds
        self._planner = planner
        self._ready: dict[LinkVersion, LinkPlan | None] = {}
        self._unreadable: dict[LinkVersion, str] = {}
        self._definitions = DefinitionFollower(reader, state, self._forget)

    @property
    def definitions(self) -> DefinitionFollower:
        """The definitions that the plans are made from."""
        return self._definitions

    @property
    def ready(self) -> Mapping[tuple[bytes, int], LinkPlan | None]:
        """Plans that are prepared."""
        return self._ready

    def find(self, link_key: bytes, version: int) -> LinkPlan | None:
        """Decode the definition, prepare its plan and return it."""
        if (link_key, version) in self._unreadable:
            raise NoPlan(Reason.UNREADABLE_DEFINITION, self._unreadable[link_key, version])
        if len(self._ready) >= MAX_READY:
            self._ready = {}
        if len(self._unreadable) >= MAX_READY:
            self._unreadable.clear()
        plan = self._plan(link_key, version)
        if len(link_key) <= MAX_READY_KEY_BYTES:
            self._ready[link_key, version] = plan
        return plan

    def _forget(self, versions: Collection[LinkVersion]) -> None:
        for version in versions:
            self._unreadable.pop(version, None)
        if not self._ready.keys().isdisjoint(versions):
            self._ready = {version: plan for version, plan in self._ready.items() if version not in versions}

    def _plan(self, link_key: bytes, named: int) -> LinkPlan | None:
        definitions = self._definitions
        found = definitions.newest(link_key) if named == NO_VERSION else (named, definitions.version(link_key, named))
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


_REMEDIES = {
    True: "this worker may be older than the author's program; update it, then replay the dead letters",
    False: "it is no definition; publish the link again, then replay the dead letters",
}
