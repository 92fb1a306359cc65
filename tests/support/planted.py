"""What must never be seen by who runs the program: a mark in personal data and secrets, and the search for it.

Clicks of the tests carry the mark in whom they are about. Whatever a worker logs or answers over HTTP, and whatever a
command says on standard error, lies in a `*.log` file below the run's folder, and is searched when the run is over.
"""

from collections.abc import Iterator
from pathlib import Path

MARK = "x7planted7x"
"""Stands in every recipient, person, address and secret that tests make up."""

BROKERS_LOG = "kafka.log"
"""Of a broker, whose log is not ours. Files with a number for a name are records or state."""

SHOWN = 200


def leaks_in(folder: Path) -> Iterator[str]:
    """Yield a sentence for each file of log lines or pages that holds the mark."""
    for path in sorted(folder.rglob("*.log")):
        if path.name != BROKERS_LOG and not path.stem.isdigit() and path.is_file():
            yield from leaks_of(str(path), path.read_bytes().decode(errors="replace"))


def leaks_of(where: str, text: str) -> Iterator[str]:
    """Yield a sentence where the text holds the mark."""
    line = next((line for line in text.splitlines() if MARK in line), None)
    if line is not None:
        at = line.index(MARK)
        yield f"{where} holds what it must not: {line[max(at - SHOWN, 0) : at + SHOWN]}"
