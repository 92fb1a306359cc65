"""Reads script files: all valid scripts, and all mistakes of all files at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from actions.ids import looks_of
from actions.kind import Kind
from runtime.authoring.diagnostic import Diagnostic, InvalidFiles, SourceLocation
from runtime.authoring.source_files import SourceFile, collect_sources, read_content
from scripts.files.desired import DesiredScript
from scripts.files.script_file import read_script_file
from scripts.sandbox.run import MAX_SOURCE_BYTES

WHAT = "script files"


def check_script_files(paths: Iterable[Path], kinds: Mapping[str, Kind]) -> Sequence[DesiredScript]:
    """Read files, and the script files in and below folders; their examples are not run.

    Raises InvalidFiles with all mistakes.
    """
    paths = list(paths)
    sources, mistakes = collect_sources(paths)
    scripts, found = read_script_sources([source for source in sources if source.is_script_file], kinds)
    mistakes += found
    mistakes += [
        _without_scripts(source.name) for source in sources if not source.is_script_file and Path(source.name) in paths
    ]
    if not (scripts or mistakes):
        mistakes = [_without_scripts(str(path)) for path in paths]
    if mistakes:
        raise InvalidFiles(mistakes, WHAT)
    return scripts


def read_script_sources(
    sources: Iterable[SourceFile], kinds: Mapping[str, Kind]
) -> tuple[list[DesiredScript], list[Diagnostic]]:
    """Return the valid scripts and all mistakes; reads the files with the sources of the scripts."""
    files = [read_script_file(each.name, each.content, kinds, _read_source) for each in sources]
    scripts = [script for file in files for script in file.scripts]
    return scripts, [*(mistake for file in files for mistake in file.mistakes), *_defined_twice(scripts)]


def _read_source(file: str) -> bytes:
    return read_content(Path(file), MAX_SOURCE_BYTES)


def _without_scripts(name: str) -> Diagnostic:
    sentence = "it has no scripts; name a file that begins with 'tenant: …' and 'scripts:', or a folder with one"
    return Diagnostic(SourceLocation(name, 1), "", sentence)


def _defined_twice(scripts: Iterable[DesiredScript]) -> Iterator[Diagnostic]:
    first: dict[tuple[str, str], DesiredScript] = {}
    for script in scripts:
        looks = script.reference.tenant_id, looks_of(script.reference.script_id)
        other = first.setdefault(looks, script)
        if other is not script:
            where = f"first in {other.location.file}:{other.location.line}"
            same = "it is defined twice" if other.reference == script.reference else "it looks like another script's id"
            subject = f"script {script.reference.script_id}"
            yield Diagnostic(script.location, subject, f"{same} ({where}); keep one or give it another id")
