"""Assembles the loop from its ports: the same function serves the worker, the demo, the tests and the simulator."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from consumer.app.record_formats import RecordFormats
from consumer.decision.cores import CORES, best_core
from consumer.decision.decision import Rules
from consumer.loop.assignment import Assignment
from consumer.loop.batch_decider import BatchDecider
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.dead_letter_limit import DeadLetterLimit
from consumer.loop.history_check import HistoryCheck
from consumer.loop.loop import Loop, LoopDependencies
from consumer.loop.observer import Observer
from consumer.loop.offsets import CommittedOffsets
from consumer.loop.plan_cache import PlanCache
from consumer.loop.punctuation import Punctuator
from consumer.loop.transaction_output import TransactionOutput
from runtime.clock import Clock
from runtime.config.settings import Settings
from runtime.monitoring.version import versions
from runtime.ports import LogReader, TransactionalConsumer
from runtime.state.store import StateStore
from runtime.stream.batching import LingerPolicy
from runtime.stream.marker_file import MarkerFile
from runtime.stream.poison_pills import PoisonPillGuard


@dataclass(frozen=True, slots=True)
class LoopPorts:
    """Everything outside the process that the loop uses."""

    consumer: TransactionalConsumer
    changelog: LogReader
    definitions: LogReader
    state: StateStore
    in_flight: MarkerFile
    """Survives the process; names the records being decided."""
    known_topics: MarkerFile
    """On the same disk as `state`; names the changelog that it was restored from, and the clicks topic."""
    observer: Observer
    clock: Clock
    on_restored: Callable[[], None] = lambda: None
    punctuator: Punctuator | None = None


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """Settings of the loop; `partitions` is the number that the clicks topic has."""

    partitions: int
    linger: LingerPolicy
    drain: bool = False
    dead_letter_limit: float = 1.0
    retention_ms: int | None = None

    @classmethod
    def of(cls, settings: Settings, partitions: int, *, drain: bool = False) -> Self:
        """Take the options from the settings."""
        retention = settings.dedupe_retention
        return cls(
            partitions,
            LingerPolicy(settings.commit_interval_ms / 1000),
            drain,
            settings.dead_letter_limit,
            None if retention is None else retention // timedelta(milliseconds=1),
        )


def build_loop(
    ports: LoopPorts,
    formats: RecordFormats,
    options: LoopOptions,
    *,
    loop: type[Loop] = Loop,
    history: type[HistoryCheck] = HistoryCheck,
) -> Loop:
    """Build the loop; a test may pass a `loop` or `history` class with a planted bug."""
    names, partitions = formats.names, options.partitions
    plans = open_plans(ports.definitions, ports.state, formats)
    decider = _build_decider(plans, formats, options, ports.clock)
    restorer = ChangelogRestorer(
        ports.changelog, ports.state, monotonic=ports.clock.monotonic, on_complete=ports.on_restored
    )
    verifier = history(ports.consumer, restorer, ports.known_topics, partitions=partitions, group=names.group_id)
    offsets = CommittedOffsets(ports.consumer, verifier, names.changelog)
    dead_letter_limit = DeadLetterLimit(options.dead_letter_limit)
    parts = LoopDependencies(
        consumer=ports.consumer,
        definitions=plans.definitions,
        assignment=Assignment(
            ports.consumer,
            ports.observer,
            restorer=restorer,
            history=verifier,
            offsets=offsets,
            dead_letter_limit=dead_letter_limit,
            partitions=partitions,
        ),
        offsets=offsets,
        decider=decider,
        output=TransactionOutput(ports.consumer, names, formats.hits_frame, versions()["link-actions"]),
        dead_letter_limit=dead_letter_limit,
        poison_guard=PoisonPillGuard(ports.in_flight, decider.force_dead_letter),
        observer=ports.observer,
        clock=ports.clock,
        punctuator=ports.punctuator,
    )
    return loop(parts, options.linger, drain=options.drain)


def open_plans(reader: LogReader, state: StateStore, formats: RecordFormats) -> PlanCache:
    """Open the plans of the link definitions, none of which is read yet."""
    return PlanCache(reader, state, codec=formats.definition_codec, kinds=formats.kinds, planner=formats.planner)


def _build_decider(plans: PlanCache, formats: RecordFormats, options: LoopOptions, clock: Clock) -> BatchDecider:
    rules = Rules(options.partitions, options.retention_ms)
    return BatchDecider(plans, formats.read_click_layouts, rules, clock, open_core=CORES[best_core()])
