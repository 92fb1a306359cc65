"""The pure core without Kafka and disk, held against a yardstick that does not change: CPU of this thread alone."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha1

from actions.link import link_from_record
from actions.registry import load_kinds
from bench.environment import PARTITIONS
from bench.links import START_MS, definition
from bench.shape import DEFAULT, SHAPES, Shape
from bench.workload import Workload, click_key
from consumer.decision.core import OpenCore
from consumer.decision.decide import decide
from consumer.decision.decision import Rules
from consumer.decision.plan import LinkPlan, NoPlan, Planner
from runtime.state.in_memory import MemoryState
from schemas.bad_record import Reason
from schemas.click import ClickLayout, click_layout
from schemas.codec import Codec, single_object_frame
from schemas.identity import partition_of
from schemas.record_schema import load_schemas

CLICKS = 4_000
BATCH = 2_000
ROUNDS = 100
PARTITION = 0
_IDENTITY = slice(15, 47)
"""The offsets of link and recipient in the bytes of a click."""

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class ReadyPlans:
    """All plans, made beforehand. Implements `Plans`."""

    ready: dict[tuple[bytes, int], LinkPlan | None] = field(default_factory=dict)

    def find(self, link_key: bytes, version: int) -> LinkPlan | None:
        """Refuse: what is not ready does not exist."""
        raise NoPlan(Reason.UNKNOWN_VERSION, f"{link_key!r} has no version {version}")


@dataclass(frozen=True, slots=True)
class Material:
    """The clicks of one partition, and what it takes to decide them."""

    layouts: Mapping[bytes, ClickLayout]
    plans: ReadyPlans
    values: Sequence[bytes]


def material(shape: Shape, clicks: int) -> Material:
    """Return the clicks of a shape in the first partition, given their number in all partitions."""
    schemas = load_schemas()
    frames = {name: single_object_frame(schema) for name, schema in schemas.items()}
    planner, kinds, plans = Planner(schemas, frames, ""), load_kinds(schemas), ReadyPlans()
    for link in range(shape.links):
        plan = planner.plan(link_from_record(definition(shape, link, 1), kinds))
        plans.ready[plan.link_key, 1] = plan
    codec = Codec(schemas["LinkClicked"])
    everybodys = (click for _, _, click in Workload(shape, clicks).clicks_in_order())
    own = (click for click in everybodys if partition_of(click_key(click), PARTITIONS) == PARTITION)
    layouts = {frames["LinkClicked"]: click_layout(schemas["LinkClicked"])}
    return Material(layouts, plans, [codec.encode(click) for click in own])


class Core:
    """Decides the clicks of one partition, in batches, on an empty state."""

    def __init__(self, open_core: OpenCore) -> None:
        self._open_core = open_core
        self._material = material(SHAPES[DEFAULT], CLICKS * PARTITIONS)
        self.values = self._material.values[:CLICKS]

    def __call__(self) -> int:
        """Decide them all and return how many updates there were."""
        store, updates = MemoryState().open(PARTITION, ""), 0
        for start in range(0, len(self.values), BATCH):
            decision = decide(
                self.values[start : start + BATCH],
                PARTITION,
                layouts=self._material.layouts,
                plans=self._material.plans,
                look_up=store.get_many,
                open_core=self._open_core,
                rules=Rules(PARTITIONS),
                now=START_MS + CLICKS * PARTITIONS,
            )
            store.write(decision.entries, start)
            updates += len(decision.updates)
        return updates


def yardstick(values: Sequence[bytes]) -> int:
    """Do to each click what the job cannot do without: digest, look up, splice. Never to be changed or made faster."""
    seen: dict[bytes, bytes] = {}
    made: list[tuple[str, bytes, bytes, list[tuple[str, bytes]]]] = []
    for value in values:
        identity = value[_IDENTITY]
        key = blake2b(identity, digest_size=12).digest()
        if key in seen:
            continue
        seen[key] = value[:9]
        digest = sha1(identity, usedforsecurity=False).hexdigest()
        identifier = f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{digest[20:32]}".encode()
        made.append(("topic", value[:120] + identifier, identity, [("ce_id", identifier)]))
    return len(made)


def least_costs(work: Work, measure: Work, rounds: int = ROUNDS) -> tuple[float, float]:
    """Return the CPU seconds of the work and of the measure: the least of many short rounds each, in turn.

    The least is what the machine takes when nothing else disturbs it, so a busy one gives nearly the same. Collections
    of garbage are held off, as by `timeit`: what they cost depends on everything else that lives in the process.
    """
    gc.disable()
    try:
        pairs = [(_cpu_seconds(work), _cpu_seconds(measure)) for _ in range(rounds)]
    finally:
        gc.enable()
    return min(ours for ours, _ in pairs), min(its for _, its in pairs)


def slowed(work: Work, share: float) -> Work:
    """Return the same work with that share of extra CPU, which the guard must notice."""

    def slow() -> None:
        until = _cpu_seconds(work) * share + time.thread_time()
        while time.thread_time() < until:
            pass

    return slow


def _cpu_seconds(work: Work) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started
