"""Assembles the script worker's loop from its ports: the same function serves the worker and the tests."""

from collections.abc import Mapping
from dataclasses import dataclass

from actions.kind import Kind
from runtime.clock import Clock
from runtime.ports import LogReader, TransactionalConsumer
from runtime.registry.codecs import reading_codec, writing_codec, writing_frame
from runtime.registry.registry import SchemaRegistry
from runtime.stream.batching import LingerPolicy
from runtime.stream.marker_file import MarkerFile
from runtime.stream.poison_pills import PoisonPillGuard
from schemas.codec import single_object_frame
from schemas.record_schema import RecordSchema
from schemas.topics import TopicNames
from scripts.effects.effect_writer import EffectWriter
from scripts.sandbox.process import Sandbox
from scripts.worker.breaker import Breakers
from scripts.worker.hits_table import HitsTable
from scripts.worker.loop import ScriptLoop, ScriptLoopParts
from scripts.worker.observer import ScriptObserver
from scripts.worker.output import OutputWriter
from scripts.worker.published import PublishedScripts
from scripts.worker.runner import ScriptRunner

KIND = "script"
"""The kind of action whose updates are run."""


@dataclass(frozen=True, slots=True)
class ScriptPorts:
    """Everything outside the process that the loop uses."""

    consumer: TransactionalConsumer
    """Of the topic of script updates."""
    definitions: LogReader
    hits: LogReader
    in_flight: MarkerFile
    sandbox: Sandbox
    observer: ScriptObserver
    clock: Clock


@dataclass(frozen=True, slots=True)
class ScriptFormats:
    """How records are read and written; `registry` is None without a schema registry."""

    names: TopicNames
    schemas: Mapping[str, RecordSchema]
    kinds: Mapping[str, Kind]
    registry: SchemaRegistry | None
    version: str


def build_script_loop(
    ports: ScriptPorts,
    formats: ScriptFormats,
    *,
    partitions: int,
    linger: LingerPolicy,
    drain: bool = False,
    loop: type[ScriptLoop] = ScriptLoop,
    runner: type[ScriptRunner] = ScriptRunner,
) -> ScriptLoop:
    """Build the loop; a test may pass a `loop` or `runner` class with a planted bug. Raises RetriableError."""
    names, schemas, registry = formats.names, formats.schemas, formats.registry
    run = runner(
        sandbox=ports.sandbox,
        scripts=PublishedScripts(
            ports.definitions, reading_codec(names.script_definitions, schemas["ScriptDefined"], registry)
        ),
        hits=HitsTable(ports.hits, reading_codec(names.hits, schemas["LinkHits"], registry), partitions),
        breakers=Breakers(ports.clock.monotonic),
        codec=reading_codec(names.update(KIND), schemas[formats.kinds[KIND].update], registry),
        kinds=formats.kinds,
        effects=EffectWriter(schemas, _frames(formats), names.prefix),
        clock=ports.clock,
        beat=ports.observer.beat,
    )
    output = OutputWriter(
        names,
        names.update(KIND),
        writing_codec(names.script_runs, schemas["ScriptRun"], registry),
        writing_codec(names.return_urls, schemas["ReturnUrlSet"], registry),
        formats.version,
    )
    guard = PoisonPillGuard(ports.in_flight, run.force_dead_letter)
    parts = ScriptLoopParts(ports.consumer, run, output, guard, ports.observer, ports.clock)
    return loop(parts, linger, drain=drain)


def _frames(formats: ScriptFormats) -> Mapping[str, bytes]:
    """Return the header before the body of each update, by record name."""
    found = {}
    for kind in formats.kinds.values():
        schema = formats.schemas[kind.update]
        frame = writing_frame(formats.names.update(kind.name), schema, formats.registry)
        found[kind.update] = frame or single_object_frame(schema)
    return found
