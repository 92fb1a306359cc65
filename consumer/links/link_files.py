"""Reads link files: all valid links, and all mistakes of all files at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from actions.ids import looks_of
from actions.kind import Kind
from consumer.links.desired import DesiredLink
from consumer.links.link_file import LinkFile, read_link_file
from consumer.links.link_model import link_file_model
from consumer.links.link_reference import LinkReference
from consumer.links.script_pins import KnownScripts, pin_scripts
from runtime.authoring.diagnostic import Diagnostic, InvalidFiles, Severity, SourceLocation, in_order
from runtime.authoring.source_files import SourceFile, collect_sources


@dataclass(frozen=True, slots=True)
class CheckedLinks:
    """The links in the order of the files; warnings and notes in the order of their locations."""

    links: Sequence[DesiredLink]
    warnings: Sequence[Diagnostic]
    notes: Sequence[Diagnostic] = ()


FindScripts = Callable[[Sequence[SourceFile], Sequence[DesiredLink]], tuple[KnownScripts | None, list[Diagnostic]]]
"""Returns the scripts that links may run, given the script files and the links; None if any script may be there."""


def check_link_files(
    paths: Iterable[Path], kinds: Mapping[str, Kind], *, strict: bool = False, find_scripts: FindScripts | None = None
) -> CheckedLinks:
    """Read files, and the link files in and below folders.

    With `find_scripts`, scripts are checked, and the links pin the newest version of each.
    Raises InvalidFiles with all mistakes and warnings if there is a mistake or, with `strict`, a warning.
    """
    sources, missing = collect_sources(paths)
    links, found = read_sources([source for source in sources if not source.is_script_file], kinds)
    if find_scripts is not None:
        known, mistakes = find_scripts([source for source in sources if source.is_script_file], links)
        links, conflicts = pin_scripts(links, known) if known else (links, [])
        found += mistakes + conflicts
    notes = [each for each in found if each.severity is Severity.NOTE]
    mistakes = [*missing, *(each for each in found if each.severity is not Severity.NOTE)]
    if any(strict or mistake.severity is Severity.ERROR for mistake in mistakes):
        raise InvalidFiles(mistakes)
    return CheckedLinks(links, in_order(mistakes), in_order(notes))


def read_sources(
    sources: Iterable[SourceFile], kinds: Mapping[str, Kind]
) -> tuple[list[DesiredLink], list[Diagnostic]]:
    """Return the valid links, and all mistakes, warnings and notes; pure."""
    model = link_file_model(kinds)
    files = [read_link_file(source.name, source.content, model, kinds) for source in sources]
    links = list(chain.from_iterable(file.links for file in files))
    mistakes = list(chain.from_iterable(file.mistakes for file in files))
    mistakes += _defined_twice(files)
    return links, mistakes


def _defined_twice(files: Iterable[LinkFile]) -> Iterator[Diagnostic]:
    first: dict[tuple[str, str], tuple[LinkReference, SourceLocation]] = {}
    for reference, location in chain.from_iterable(file.defined for file in files):
        looks = reference.tenant_id, looks_of(reference.link_id)
        other, earlier = first.setdefault(looks, (reference, location))
        if earlier is not location:
            where = f"first in {earlier.file}:{earlier.line}"
            same = "it is defined twice" if other == reference else "it looks like the id of another link"
            yield Diagnostic(location, f"link {reference.link_id}", f"{same} ({where}); keep one or give it another id")
