"""Reads link files: all valid links, and all mistakes of all files at once."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from actions.ids import looks_of
from actions.kind import Kind
from consumer.links.desired import DesiredLink
from consumer.links.diagnostic import Diagnostic, InvalidLinkFiles, Severity, SourceLocation, in_order
from consumer.links.link_file import LinkFile, read_link_file
from consumer.links.link_model import link_file_model
from consumer.links.link_reference import LinkReference

SUFFIXES = (".yaml", ".yml")

MAX_FILE_BYTES = 64 * 2**20
"""Far more than any link file has; a device or a wrong file would fill the RAM."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file's content and the name that the author passed."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class CheckedLinks:
    """The links in the order of the files; warnings and notes in the order of their locations."""

    links: Sequence[DesiredLink]
    warnings: Sequence[Diagnostic]
    notes: Sequence[Diagnostic] = ()


def check_link_files(paths: Iterable[Path], kinds: Mapping[str, Kind], *, strict: bool = False) -> CheckedLinks:
    """Read files, and the link files in and below folders.

    Raises InvalidLinkFiles with all mistakes and warnings if there is a mistake or, with `strict`, a warning.
    """
    sources, missing = collect_sources(paths)
    links, found = read_sources(sources, kinds)
    notes = [each for each in found if each.severity is Severity.NOTE]
    mistakes = [*missing, *(each for each in found if each.severity is not Severity.NOTE)]
    if any(strict or mistake.severity is Severity.ERROR for mistake in mistakes):
        raise InvalidLinkFiles(mistakes)
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


def collect_sources(paths: Iterable[Path]) -> tuple[list[SourceFile], list[Diagnostic]]:
    """Read the files, each once even if it is named several times."""
    sources: dict[Path, SourceFile] = {}
    mistakes: list[Diagnostic] = []
    for path in paths:
        try:
            files = _link_files_below(path) if path.is_dir() else [path]
        except OSError as error:
            mistakes.append(_unreadable(path, error))
            continue
        if not files:
            mistakes.append(
                _no_file(path, f"no file in or below it ends in {' or '.join(SUFFIXES)}; name another folder")
            )
        for file in files:
            try:
                # Path.resolve raises on a loop of symbolic links; here, reading the file reports it.
                sources.setdefault(Path(os.path.realpath(file)), SourceFile(str(file), _content(file)))
            except OSError as error:
                mistakes.append(_unreadable(file, error))
    return list(sources.values()), mistakes


def _link_files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and not path.is_dir())


def _content(file: Path) -> bytes:
    """Read the file. Raises OSError if it is larger than a link file may be; a device may even be endless."""
    with file.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MAX_FILE_BYTES // 2**20} MiB")
    return content


def _unreadable(file: Path, error: OSError) -> Diagnostic:
    return _no_file(file, f"the file cannot be read ({error.strerror}); check its name and permissions")


def _no_file(path: Path, sentence: str) -> Diagnostic:
    return Diagnostic(SourceLocation(str(path), 1), "", sentence)


def _defined_twice(files: Iterable[LinkFile]) -> Iterator[Diagnostic]:
    first: dict[tuple[str, str], tuple[LinkReference, SourceLocation]] = {}
    for reference, location in chain.from_iterable(file.defined for file in files):
        looks = reference.tenant_id, looks_of(reference.link_id)
        other, earlier = first.setdefault(looks, (reference, location))
        if earlier is not location:
            where = f"first in {earlier.file}:{earlier.line}"
            same = "it is defined twice" if other == reference else "it looks like the id of another link"
            yield Diagnostic(location, f"link {reference.link_id}", f"{same} ({where}); keep one or give it another id")
