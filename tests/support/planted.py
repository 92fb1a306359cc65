"""Leak detection: a mark in personal data and secrets, and the search for it in logs.

Clicks of the tests carry the mark in recipient and person. All that a worker logs or answers over HTTP, and all that a
command writes to standard error, is in a `*.log` file below the run's folder, which is searched when the run is over.
"""

from collections.abc import Iterator
from pathlib import Path

MARK = "x7planted7x"
"""Part of every recipient, person, address and secret in tests."""

BROKERS_LOG = "kafka.log"
"""Of a broker, whose log is not ours. Files with a number for a name are records or state."""

SHOWN = 200


def leaks_in(folder: Path) -> Iterator[str]:
    """Yield a sentence for each file of log lines or pages that holds the mark."""
    for path in sorted(folder.rglob("*.log")):
        if path.name != BROKERS_LOG and not path.stem.isdigit() and path.is_file():
            yield from leaks_of(str(path), path.read_bytes().decode(errors="replace"))


def leaks_of(where: str, text: str) -> Iterator[str]:
    """Yield a sentence if the text contains the mark."""
    line = next((line for line in text.splitlines() if MARK in line), None)
    if line is not None:
        at = line.index(MARK)
        yield f"{where} holds what it must not: {line[max(at - SHOWN, 0) : at + SHOWN]}"
