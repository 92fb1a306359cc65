"""`link-actions scripts try`: one run of a script, with everything that it emits, for its author."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from actions.registry import load_kinds
from cli.entry import command_settings, open_registry, topic_names
from cli.output import complain, say, say_json
from cli.sandbox import open_sandbox
from consumer.inspect.record_view import RecordView, view_record
from runtime.authoring.error_messages import error_message
from runtime.errors import UsageError
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, require_topics
from runtime.kafka.admin.topic_reader import open_reader
from runtime.registry.codecs import reading_codec
from schemas.bad_record import BadRecord
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from scripts.effects.effect import BadEffect, effects_as_written, read_effects
from scripts.effects.script_update import script_names
from scripts.files.script_model import ClickEntry
from scripts.sandbox.jail import standing_walls
from scripts.sandbox.run import DEFAULT_FUEL, MAX_SOURCE_BYTES, ScriptFailure, ScriptResult, ScriptRun

TRIED_UPDATE = "00000000-0000-5000-8000-000000000000"
"""The update id of a run that no update asks for; it seeds `Math.random`."""
SCRIPT_KIND = "script"
_CLICK = '{"custId": "4711"}'

EXAMPLE = """\b
Example:
  link-actions scripts try score.js --click '{"custId": "4711", "linkHits": 12}' --parameter points=20
  link-actions scripts try score.js --update 04aebf8d-382d-5727-93c2-69b074628279"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a run is given: names as the script sees them, and the id that seeds chance."""

    names: dict[str, Any]
    update_id: str
    clicked_at: int


def try_script(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The source of the script.")],
    *,
    click: Annotated[str | None, typer.Option(help="What the script sees of the click, as JSON.")] = None,
    parameter: Annotated[list[str] | None, typer.Option(help="A parameter as name=text; may be repeated.")] = None,
    update: Annotated[str | None, typer.Option(help="Run it on this script update instead, by its update_id.")] = None,
    fuel: Annotated[int, typer.Option(min=1, help="Limit of the run.")] = DEFAULT_FUEL,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for programs, one object.")] = False,
) -> None:
    """Run a script once and show its effects, returnUrl, log and fuel; nothing is emitted.

    With --update it sees what the worker's run saw, linkHits included. The exit code is 2 if the script fails.
    """
    source = _source(file)
    if update is not None and (click is not None or parameter):
        raise UsageError("--update has a click and parameters of its own; leave out --click and --parameter")
    asked = _of_update(update) if update is not None else _of_click(click or "{}", parameter or [])
    with open_sandbox() as sandbox:
        (outcome,) = sandbox.run([ScriptRun(source, asked.update_id, asked.clicked_at, asked.names, fuel)])
    missing = standing_walls().missing
    if missing:
        complain(f"warn: this machine has no {' and no '.join(missing)}; script workers do not start here")
    if isinstance(outcome, ScriptFailure):
        raise UsageError(_failed(file, source, outcome))
    try:
        _show(outcome, asked, fuel, as_json=as_json)
    except BadEffect as error:
        raise UsageError(f"{file}: {error}") from error


def _source(file: Path) -> str:
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read ({getattr(error, 'strerror', None) or 'it is not UTF-8'})") from error
    if len(source.encode()) > MAX_SOURCE_BYTES:
        raise UsageError(f"{file} is larger than {MAX_SOURCE_BYTES} bytes; shorten it")
    return source


def _of_click(text: str, parameters: list[str]) -> _Asked:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise UsageError(f'--click is not JSON ({error}); write an object such as \'{{"custId": "4711"}}\'') from error
    try:
        click = ClickEntry.model_validate(given)
    except ValidationError as error:
        details = dict(error.errors(include_url=False)[0])
        known = [each.alias or name for name, each in ClickEntry.model_fields.items()]
        sentence = error_message(details, text=None, known_keys=known)
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise UsageError(f"--click{f', {where}' if where else ''}: {sentence}") from error
    pairs = [each.partition("=") for each in parameters]
    wrong = [name for name, equals, _ in pairs if not (name and equals)]
    if wrong:
        raise UsageError(f"{wrong[0]!r} is not a parameter; write name=text, such as points=20")
    record = {**click.model_dump(), "parameters": {name: value for name, _, value in pairs}}
    return _Asked(script_names(record), TRIED_UPDATE, record["clicked_at"])


def _of_update(update_id: str) -> _Asked:
    """Find the update and its run. Raises UsageError if there is no such update any more."""
    settings = command_settings()
    names, schemas = topic_names(settings), load_schemas()
    topic = names.update(SCRIPT_KIND)
    states = require_topics(KafkaTopicAdmin(settings.kafka), (topic, names.script_runs))
    with closing(open_reader(settings.kafka)) as reader, open_registry(settings) as registry:
        codecs = {
            topic: reading_codec(topic, schemas["RunScript"], registry),
            names.script_runs: reading_codec(names.script_runs, schemas["ScriptRun"], registry),
        }
        spans = reader.spans({name: state.partitions for name, state in states.items()})
        found: dict[str, dict[str, Any]] = {}
        for record in map(view_record, reader.read(spans)):
            for decoded in _matching(record, codecs[record.topic], update_id):
                found[record.topic] = decoded
    if topic not in found:
        raise UsageError(f"{topic} has no update {update_id}; is it older than the topic's retention?")
    update, run = found[topic], found.get(names.script_runs)
    hits = update["link_hits"] if run is None else run["link_hits"]
    return _Asked({**script_names(update), "linkHits": hits}, update_id, update["clicked_at"])


def _matching(record: RecordView, codec: Codec, update_id: str) -> Iterator[dict[str, Any]]:
    try:
        decoded = codec.decode(record.value or b"")
    except BadRecord:
        return
    if decoded["update_id"] == update_id:
        yield decoded


def _show(result: ScriptResult, asked: _Asked, fuel: int, *, as_json: bool) -> None:
    """Raises BadEffect for effects that are none."""
    kinds = load_kinds(load_schemas())
    effects = list(effects_as_written(read_effects(result.effects, kinds, set(kinds) - {SCRIPT_KIND})))
    if as_json:
        say_json({"effects": effects, "returnUrl": result.return_url, "log": result.log, "fuel": result.fuel_used})
        return
    for effect in effects:
        say(f"{'effect':<12}{json.dumps(effect, ensure_ascii=False)}")
    if not effects:
        say(f"{'effects':<12}none")
    is_set = result.return_url not in {None, asked.names["linkUrl"]}
    shown = f"{result.return_url}, from this recipient's next click on" if is_set else "unchanged"
    say(f"{'returnUrl':<12}{shown}")
    for line in result.log.splitlines():
        say(f"{'log':<12}{line}")
    say(f"{'fuel':<12}{result.fuel_used:,} of {fuel:,}")


def _failed(file: Path, source: str, failure: ScriptFailure) -> str:
    """Return the failure with the line in question and a mark below its column."""
    place = str(file) if failure.line is None else f"{file}:{failure.line}"
    place += "" if failure.column is None else f":{failure.column}"
    text = f"{place}: {failure.reason}{f': {failure.message}' if failure.message else ''}"
    if failure.line is None:
        return text
    line = source.splitlines()[failure.line - 1 : failure.line]
    mark = [] if failure.column is None else [" " * (failure.column - 1) + "^"]
    logged = [f"log: {each}" for each in failure.log.splitlines()]
    return "\n  ".join([text, *line, *mark, *logged])
