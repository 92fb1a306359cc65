"""Reads one script file: its valid scripts, and all its mistakes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from pydantic import ValidationError

from actions.kind import WRITTEN, Kind
from runtime.authoring.diagnostic import Diagnostic, SourceLocation
from runtime.authoring.error_messages import Details, error_message
from runtime.authoring.source_map import SourceMap, number_of
from runtime.authoring.yaml_document import Path, read_document
from scripts.definitions.script import ScriptReference
from scripts.effects.effect import BadEffect, Effect, read_effects
from scripts.effects.return_url import BadReturnUrl, checked_return_url
from scripts.files.desired import DesiredExample, DesiredScript
from scripts.files.script_model import ClickEntry, ExampleEntry, ScriptEntry, ScriptFileEntry, keys_at
from scripts.sandbox.run import MAX_SOURCE_BYTES

_EXAMPLE = 4
"""Length of the path to an example: the script's, `examples` and its index."""

ReadSource = Callable[[str], bytes]
"""Returns the content of a file with the source of a script, given its name. Raises OSError."""


class ScriptSourceMap(SourceMap):
    """Locations of one script file."""

    def subject(self, path: Path) -> str:
        """Return the script, and the example if the value belongs to one."""
        script = super().subject(path)
        in_example = len(path) >= _EXAMPLE and path[2] == "examples"
        return f"{script}, example {number_of(path[:_EXAMPLE])}" if in_example else script


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """The content of one file; without mistakes, `scripts` has all scripts of the file."""

    scripts: tuple[DesiredScript, ...]
    mistakes: tuple[Diagnostic, ...]


def read_script_file(name: str, content: bytes, kinds: Mapping[str, Kind], read_source: ReadSource) -> ScriptFile:
    """Read one file; diagnostics refer to it by `name`."""
    document = read_document(content)
    where = ScriptSourceMap(name, document)
    mistakes = [
        Diagnostic(SourceLocation(name, problem.line, problem.column), "", problem.sentence)
        for problem in document.problems
    ]
    try:
        entry = ScriptFileEntry.model_validate(document.data, context=WRITTEN)
    except ValidationError as error:
        shape = (
            () if document.data is None else (_explained(where, dict(each)) for each in error.errors(include_url=False))
        )
        return ScriptFile((), (*mistakes, *shape))
    reading = _Reading(entry.tenant, where, kinds, read_source)
    scripts = [reading.script(("scripts", index), script) for index, script in enumerate(entry.scripts)]
    return ScriptFile(tuple(filter(None, scripts)), (*mistakes, *reading.mistakes))


class _Reading:
    """Reads the scripts of a file whose shape is right, and collects the mistakes."""

    def __init__(self, tenant: str, where: SourceMap, kinds: Mapping[str, Kind], read_source: ReadSource) -> None:
        self.mistakes: list[Diagnostic] = []
        self._tenant = tenant
        self._where = where
        self._kinds = kinds
        self._read_source = read_source

    def script(self, path: Path, entry: ScriptEntry) -> DesiredScript | None:
        """Return the script, None if it has mistakes."""
        before = len(self.mistakes)
        self._check_kinds((*path, "emits"), entry.emits)
        file = str(PurePath(self._where.file).parent / entry.file)
        source = self._source((*path, "file"), file)
        examples = tuple(
            self._example((*path, "examples", index), example, entry) for index, example in enumerate(entry.examples)
        )
        if len(self.mistakes) > before or source is None:
            return None
        reference, location = ScriptReference(self._tenant, entry.id), self._where.location(path)
        lists = tuple(dict.fromkeys(entry.emits)), tuple(dict.fromkeys(entry.hosts))
        return DesiredScript(reference, source, file, *lists, entry.fuel, examples, location)

    def _check_kinds(self, path: Path, emits: list[str]) -> None:
        known = sorted(set(self._kinds) - {"script"})
        for index, kind in enumerate(emits):
            if kind not in known:
                self._mistake((*path, index), f"{kind} is not a kind that a script emits; known are {', '.join(known)}")

    def _source(self, path: Path, file: str) -> str | None:
        try:
            return self._read_source(file).decode()
        except OSError as error:
            limit = f"it is a file of at most {MAX_SOURCE_BYTES // 1024} KiB beside this one"
            self._mistake(path, f"{file} cannot be read ({error.strerror}); {limit}")
        except UnicodeDecodeError:
            self._mistake(path, f"{file} is not UTF-8 text; save it as UTF-8")
        return None

    def _example(self, path: Path, example: ExampleEntry, entry: ScriptEntry) -> DesiredExample:
        names = example.click.model_dump(by_alias=True, exclude_unset=True)
        return DesiredExample(
            click=example.click.model_dump(),
            click_names=names,
            parameters=example.parameters,
            effects=tuple(self._effects((*path, "effects"), example, entry)),
            return_url=self._return_url((*path, "returnUrl"), example, entry),
            location=self._where.location(path),
        )

    def _effects(self, path: Path, example: ExampleEntry, entry: ScriptEntry) -> list[Effect]:
        try:
            return read_effects(example.effects, self._kinds, entry.emits)
        except BadEffect as error:
            self._mistake(self._where.path((*path, *error.path)), str(error))
            return []

    def _return_url(self, path: Path, example: ExampleEntry, entry: ScriptEntry) -> str | None:
        if example.return_url is None:
            return None
        try:
            return checked_return_url(example.return_url, link_url=example.click.link_url, hosts=entry.hosts)
        except BadReturnUrl as error:
            self._mistake(path, str(error))
            return None

    def _mistake(self, path: Path, sentence: str) -> None:
        self.mistakes.append(self._where.mistake(path, sentence))


def an_example() -> DesiredExample:
    """Return the click that a script without examples is tried with."""
    return DesiredExample(ClickEntry().model_dump(), {}, {}, (), None, SourceLocation("", 1))


def _explained(where: SourceMap, details: Details) -> Diagnostic:
    path = where.path(details["loc"])
    message = error_message(details, text=where.text(path), known_keys=keys_at(details["loc"]))
    return where.mistake(path, message)
