"""Runs the examples of scripts, and compares what the scripts make of them with what their authors wrote."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from actions.kind import Kind
from runtime.authoring.diagnostic import Diagnostic, Severity, SourceLocation
from scripts.effects.effect import BadEffect, Effect, effects_as_written, read_effects
from scripts.effects.return_url import BadReturnUrl, checked_return_url
from scripts.effects.script_update import script_names
from scripts.files.desired import DesiredExample, DesiredScript
from scripts.files.script_file import an_example
from scripts.sandbox.run import FailureReason, Outcome, ScriptFailure, ScriptResult, ScriptRun

UPDATE_ID = "00000000-0000-5000-8000-000000000000"
"""The update id of every example, which seeds `Math.random`."""

_NO_EXAMPLES = "it has no examples; add some, so that its effects are checked"

_REASONS = {
    FailureReason.OUT_OF_FUEL: "it needs more than its fuel; make it shorter, or give it more fuel",
    FailureReason.OUT_OF_MEMORY: "it needs more memory than a run has; keep less at a time",
    FailureReason.STACK: "it calls itself too deeply; use a loop",
    FailureReason.OUTPUT_TOO_LARGE: "it emits too much; emit fewer or shorter effects",
    FailureReason.KILLED_CHILD: "it ends the process of the sandbox; report this as a bug",
}
"""What is wrong, by reason; a thrown error and a mistake of syntax say it themselves."""


class RunsScripts(Protocol):
    """What runs scripts: the sandbox."""

    def run(self, runs: Sequence[ScriptRun]) -> list[Outcome]:
        """Return an outcome for each run, in their order."""


@dataclass(frozen=True, slots=True)
class TriedScripts:
    """Number of examples, the most fuel that one used, and all mistakes and warnings."""

    examples: int
    most_fuel: int
    mistakes: tuple[Diagnostic, ...]


def try_examples(scripts: Sequence[DesiredScript], kinds: Mapping[str, Kind], sandbox: RunsScripts) -> TriedScripts:
    """Run all examples; a script without any is only compiled, and warned of."""
    cases = [(script, example) for script in scripts for example in script.examples or (an_example(),)]
    outcomes = sandbox.run([run_of(script, example) for script, example in cases])
    mistakes = [
        mistake
        for (script, example), outcome in zip(cases, outcomes, strict=True)
        for mistake in _mistakes(script, example, outcome, kinds)
    ]
    most_fuel = max((outcome.fuel_used or 0 for outcome in outcomes), default=0)
    return TriedScripts(sum(len(script.examples) for script in scripts), most_fuel, tuple(mistakes))


def run_of(script: DesiredScript, example: DesiredExample) -> ScriptRun:
    """Return the run of an example."""
    record = {**example.click, "parameters": example.parameters}
    return ScriptRun(script.source, UPDATE_ID, example.click["clicked_at"], script_names(record), script.fuel)


def _mistakes(
    script: DesiredScript, example: DesiredExample, outcome: Outcome, kinds: Mapping[str, Kind]
) -> Iterator[Diagnostic]:
    subject = f"script {script.reference.script_id}"
    if not script.examples:
        yield Diagnostic(script.location, subject, _NO_EXAMPLES, Severity.WARNING)
        if isinstance(outcome, ScriptResult) or outcome.reason is not FailureReason.SYNTAX:
            return  # a click that the author did not write proves nothing
    else:
        subject += f", example {script.examples.index(example) + 1}"
    if isinstance(outcome, ScriptFailure):
        location = SourceLocation(script.source_file, outcome.line or 1, outcome.column or 1)
        yield Diagnostic(location, subject, _reason(outcome))
        return
    for sentence in _differences(script, example, outcome, kinds):
        yield Diagnostic(example.location, subject, sentence)


def _reason(failure: ScriptFailure) -> str:
    return _REASONS.get(failure.reason) or f"it ends with {failure.message or failure.reason}; fix it"


def _differences(
    script: DesiredScript, example: DesiredExample, result: ScriptResult, kinds: Mapping[str, Kind]
) -> Iterator[str]:
    try:
        effects = read_effects(result.effects, kinds, script.emits)
    except BadEffect as error:
        yield str(error)
    else:
        if tuple(effects) != example.effects:
            yield f"it emits {_shown(effects)}, not {_shown(example.effects)}; change the script or the example"
    try:
        url = checked_return_url(result.return_url, link_url=example.click["link_url"], hosts=script.hosts)
    except BadReturnUrl as error:
        yield str(error)
    else:
        if url != example.return_url:
            shown, wanted = (each or "as it was" for each in (url, example.return_url))
            yield f"it leaves returnUrl {shown}, not {wanted}; change the script or the example"


def _shown(effects: Sequence[Effect]) -> str:
    return "[" + ", ".join(map(_object, effects_as_written(effects))) + "]" if effects else "nothing"


def _object(effect: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in effect.items())
    return f"{{{inside}}}"
