"""Runs the scripts of a batch of updates, and makes effects of what they emit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from actions.kind import Kind
from runtime.clock import Clock
from runtime.ports import ConsumerRecord
from schemas.bad_record import BadRecord
from schemas.codec import Codec
from scripts.definitions.script import Script
from scripts.effects.effect import BadEffect, KindNotDeclared, read_effects
from scripts.effects.effect_writer import EffectWriter
from scripts.effects.return_url import BadReturnUrl, checked_return_url
from scripts.effects.script_update import ScriptUpdate, read_script_update, script_names
from scripts.sandbox.process import Sandbox
from scripts.sandbox.run import MAX_FUEL, Outcome, ScriptFailure, ScriptResult, ScriptRun
from scripts.worker.breaker import Breakers
from scripts.worker.hits_table import HitsTable
from scripts.worker.outcome import Ran
from scripts.worker.published import PublishedScripts, UnknownScript, UnreadableScript
from scripts.worker.reasons import Failure, ScriptReason

CHUNK_RUNS = 20
"""Runs sent to the sandbox at a time: as many failures open a breaker, after half a second at most."""
DEFINITION_WAIT_MS = 5_000
"""Time after an update for which its script's version is awaited."""
_FOLLOW_SECONDS = 0.1

ForcedDeadLetters = dict[tuple[int, int], BadRecord]


@dataclass(slots=True)
class ScriptRunner:
    """Runs updates. `beat` is called while it waits or runs."""

    sandbox: Sandbox
    scripts: PublishedScripts
    hits: HitsTable
    breakers: Breakers
    codec: Codec
    kinds: Mapping[str, Kind]
    effects: EffectWriter
    clock: Clock
    beat: Callable[[], None]
    forced: ForcedDeadLetters = field(default_factory=dict)
    """Dead letters by partition and offset, whatever the record holds."""

    def run(self, records: Sequence[ConsumerRecord]) -> list[Ran]:
        """Return what became of each record, in their order. Raises RetriableError if definitions cannot be read."""
        remaining = iter(records)
        done: list[Ran] = []
        while chunk := list(islice(remaining, CHUNK_RUNS)):
            self.beat()
            done += self._run_chunk([self._prepared(record) for record in chunk])
        return done

    def force_dead_letter(self, partition: int, offset: int, bad: BadRecord) -> bool:
        """Dead-letter this record regardless of its content; return False if asked before."""
        is_new = (partition, offset) not in self.forced
        self.forced[partition, offset] = bad
        return is_new

    def forget_before(self, offsets: Mapping[int, int]) -> None:
        """Forget committed records, those before the next offset of each partition."""
        self.forced = {place: bad for place, bad in self.forced.items() if place[1] >= offsets.get(place[0], 0)}

    def _prepared(self, record: ConsumerRecord) -> Ran:
        """Read the update and find its script; one that fails here is not run."""
        place = record.partition() or 0, record.offset() or 0
        try:
            if place in self.forced:
                raise self.forced[place]
            update = read_script_update(
                record.value() or b"", key=record.key() or b"", partition=place[0], codec=self.codec
            )
        except BadRecord as bad:
            return Ran(record, None, failure=Failure(bad.reason, bad.detail))
        found = self._find(update, record.timestamp()[1])
        if isinstance(found, Failure):
            return Ran(record, update, failure=found)
        facts = update.record
        hits = self.hits.total(
            facts["tenant_id"],
            facts["link_id"],
            epoch=facts["epoch"],
            partition=update.partition,
            own=facts["link_hits"],
        )
        return Ran(record, update, found, hits)

    def _find(self, update: ScriptUpdate, published_ms: int) -> Script | Failure:
        facts = update.record
        while True:
            try:
                return self.scripts.find(facts["tenant_id"], facts["script"], facts["script_version"])
            except UnreadableScript:
                return Failure(ScriptReason.UNREADABLE_DEFINITION)
            except UnknownScript:
                if self.clock.now_ms() - published_ms >= DEFINITION_WAIT_MS:
                    return Failure(ScriptReason.UNKNOWN_SCRIPT)
                self.beat()
                self.scripts.follow(_FOLLOW_SECONDS)

    def _run_chunk(self, prepared: Sequence[Ran]) -> Iterator[Ran]:
        to_run = [ran for ran in prepared if ran.failure is None and self.breakers.may_run(_version(ran))]
        outcomes = iter(self.sandbox.run([_script_run(ran) for ran in to_run]))
        running = {id(ran) for ran in to_run}
        for ran in prepared:
            if ran.failure is not None:
                yield ran
            elif id(ran) not in running:
                yield replace(ran, failure=Failure(ScriptReason.SCRIPT_DISABLED))
            else:
                finished = self._finished(ran, next(outcomes))
                self.breakers.record(_version(ran), failed=finished.failure is not None)
                yield finished

    def _finished(self, ran: Ran, outcome: Outcome) -> Ran:
        """Check everything that a run has emitted; if one thing is bad, nothing of it counts."""
        if isinstance(outcome, ScriptFailure):
            return replace(ran, failure=_failure(outcome))
        try:
            return self._applied(ran, outcome)
        except KindNotDeclared as error:
            reason, message = ScriptReason.KIND_NOT_DECLARED, str(error)
        except BadEffect as error:
            reason, message = ScriptReason.BAD_EFFECT, str(error)
        except BadReturnUrl as error:
            reason, message = ScriptReason.BAD_RETURN_URL, str(error)
        return replace(ran, failure=Failure(reason, message[:500], log=outcome.log, fuel=outcome.fuel_used))

    def _applied(self, ran: Ran, result: ScriptResult) -> Ran:
        """Raises BadEffect and BadReturnUrl."""
        update, script = ran.update, ran.script
        if update is None or script is None:
            raise BadEffect
        effects = read_effects(result.effects, self.kinds, script.emits)
        written = self.effects.write(update, effects)
        url = checked_return_url(result.return_url, link_url=update.record["link_url"], hosts=script.hosts)
        return replace(
            ran,
            updates=written.updates,
            not_applicable=written.not_applicable,
            return_url=url,
            log=result.log,
            fuel=result.fuel_used,
        )


def _version(ran: Ran) -> tuple[Any, ...]:
    script = ran.script
    return () if script is None else (script.tenant_id, script.script_id, script.version)


def _script_run(ran: Ran) -> ScriptRun:
    facts, script = ran.facts, ran.script
    names = {**script_names(facts), "linkHits": ran.link_hits}
    source, fuel = ("", 0) if script is None else (script.source, min(script.fuel, MAX_FUEL))
    return ScriptRun(source, facts["update_id"], facts["clicked_at"], names, fuel)


def _failure(failure: ScriptFailure) -> Failure:
    return Failure(
        ScriptReason(failure.reason.value),
        failure.message,
        failure.line,
        failure.column,
        failure.log,
        failure.fuel_used,
    )
