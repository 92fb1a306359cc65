"""What surrounds the decision in the loop, in memory: definitions, state, and the keeping of what was decided."""

from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import cache

from actions.kind import Kind
from actions.link import link_from_record
from actions.registry import load_kinds
from consumer.decision.cores import CORES
from consumer.decision.decide import decide
from consumer.decision.decision import Decision, Rules
from consumer.decision.plan import LinkPlan, NoPlan, Planner
from runtime.records.bulk import Update
from runtime.records.implementation import PYTHON
from runtime.state.in_memory import MemoryState
from schemas.bad_record import Reason
from schemas.click import ClickLayout, click_layout
from schemas.click_batch import NO_VERSION
from schemas.codec import Codec, encode_text, single_object_frame
from schemas.record_schema import RecordSchema, load_schemas
from tests.builders import DAY, NOON, Record
from tests.click_parts import click_bytes


@cache
def schemas() -> Mapping[str, RecordSchema]:
    return load_schemas()


@cache
def kinds() -> Mapping[str, Kind]:
    return load_kinds(schemas())


@cache
def layouts() -> Mapping[bytes, ClickLayout]:
    schema = schemas()["LinkClicked"]
    return {single_object_frame(each): click_layout(each) for each in (schema, *schema.earlier)}


@cache
def codec(record: str) -> Codec:
    return Codec(schemas()[record])


def encode_update(record: str, update: Record) -> bytes:
    """The update in the oldest schema that has all of its fields which are not at their default."""
    newest = schemas()[record]
    defaults = {field["name"]: field.get("default", ...) for field in newest.definition["fields"]}
    for version in (*reversed(newest.earlier), newest):
        names = {field["name"] for field in version.definition["fields"]}
        if all(update[name] == default for name, default in defaults.items() if name not in names):
            return Codec(version).encode({name: update[name] for name in update if name in names})
    raise AssertionError("the newest schema has all fields")


@cache
def planner_for(prefix: str = "") -> Planner:
    return Planner(schemas(), {name: single_object_frame(schema) for name, schema in schemas().items()}, prefix)


class MemoryPlans:
    """Link definitions in a dict. Implements `Plans`."""

    def __init__(self, links: Iterable[Record] = (), *, planner: Planner | None = None) -> None:
        """Plan as for an installation without a prefix, unless another planner is given."""
        self.ready: dict[tuple[bytes, int], LinkPlan | None] = {}
        self._planner = planner or planner_for()
        self._plans: dict[bytes, dict[int, LinkPlan]] = {}
        for link in links:
            self.define(link)

    def define(self, link: Record) -> None:
        key = encode_text(link["tenant_id"].encode()) + encode_text(link["link_id"].encode())
        plan = self._planner.plan(link_from_record(link, kinds()))
        self._plans.setdefault(key, {})[link["version"]] = plan
        outdated = {(key, NO_VERSION), (key, link["version"])}
        self.ready = {name: plan for name, plan in self.ready.items() if name not in outdated}

    def find(self, link_key: bytes, version: int) -> LinkPlan | None:
        versions = self._plans.get(link_key, {})
        if version == NO_VERSION and not versions:
            plan = None
        else:
            try:
                plan = versions[max(versions) if version == NO_VERSION else version]
            except KeyError as error:
                raise NoPlan(Reason.UNKNOWN_VERSION, f"version {version} is not defined") from error
        self.ready[link_key, version] = plan
        return plan


core_on_trial: ContextVar[str] = ContextVar("core_on_trial", default=PYTHON)
"""Which core a DecisionHarness decides by; the tests of this folder run with each."""


class DecisionHarness:
    """Decides batches of values, and keeps what was decided only when told to, as the loop does after a commit."""

    def __init__(
        self, *links: Record, partitions: int = 1, retention_ms: int | None = None, now: int = NOON + 365 * DAY
    ) -> None:
        self.plans = MemoryPlans(links)
        self.updates: list[Update] = []
        self._rules = Rules(partitions, retention_ms)
        self._now = now
        self._state = MemoryState()
        self._positions = [0] * partitions

    def decide(self, *values: bytes | None, partition: int = 0) -> Decision:
        """Decide without keeping anything."""
        return decide(
            values,
            partition,
            layouts=layouts(),
            plans=self.plans,
            look_up=self._state.open(partition, "").get_many,
            open_core=CORES[core_on_trial.get()],
            rules=self._rules,
            now=self._now,
        )

    def keep(self, decision: Decision, partition: int = 0) -> None:
        """Keep entries and updates."""
        self._positions[partition] += 1
        self._state.open(partition, "").write(decision.entries, self._positions[partition])
        self.updates += decision.updates

    def take(self, *clicks: Record, partition: int = 0) -> Decision:
        """Decide a batch of clicks and keep what was decided."""
        decision = self.decide(*map(click_bytes, clicks), partition=partition)
        self.keep(decision, partition)
        return decision

    def entries(self, partition: int = 0) -> list[tuple[bytes, bytes]]:
        """All entries of the partition's state."""
        return list(self._state.open(partition, "").scan(b""))


def decoded(updates: Sequence[Update]) -> list[Record]:
    """The records in these updates."""
    records = {
        single_object_frame(each): name for name, schema in schemas().items() for each in (schema, *schema.earlier)
    }
    return [codec(records[value[:10]]).decode(value) for _, value, _, _ in updates]
