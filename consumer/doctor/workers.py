"""Compares the number of workers with partitions and CPU cores."""

from collections.abc import Iterator

from consumer.doctor.finding import Finding, fine, warning
from runtime.terminal.text import counted


def check_workers(workers: int, partitions: int | None, cores: int | None) -> Iterator[Finding]:
    """Report whether this machine's workers outnumber the partitions or its cores; None means unknown."""
    fits = True
    if partitions is not None and workers > partitions:
        seen = f"{workers} workers share {counted(partitions, 'partition')}: some are idle"
        yield warning("workers", seen, "set LINK_ACTIONS_WORKERS to the partition count or less")
        fits = False
    if cores is not None and workers > cores:
        seen = f"{workers} workers share {counted(cores, 'core')}"
        yield warning("workers", seen, "set LINK_ACTIONS_WORKERS to the number of cores or less")
        fits = False
    if fits:
        yield fine("workers", f"{workers} on this machine")
