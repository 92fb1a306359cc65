"""The report of a run: plain text, as the docs show it."""

import os
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

import confluent_kafka

from deploy.kafka.profile import KAFKA_VERSION
from runtime.monitoring.version import versions
from tests.chaos.result import InjectedFault, Result

CONFIDENCE = 3
"""No violation in n trials bounds their share below 3/n, with 95 % confidence."""


def report(results: Sequence[Result], *, seed: int, minutes: float) -> str:
    """Describe the runs, their number, and the result."""
    struck = [each for result in results for each in result.struck]
    lines = [*_heading(results, seed, minutes), "", *_table(struck), "", *_remarks(results), *_summary(results, struck)]
    return "\n".join(lines)


def _heading(results: Sequence[Result], seed: int, minutes: float) -> Iterator[str]:
    ours, client = versions()["link-actions"], confluent_kafka.libversion()[0]
    yield f"link-actions {ours}, Kafka {KAFKA_VERSION}, librdkafka {client}, Python {platform.python_version()}"
    yield f"{os.cpu_count()} cores; seed {seed}; {minutes:.1f} minutes in {len(results)} rounds"
    clicks, updates = sum(each.clicks for each in results), sum(each.updates for each in results)
    yield f"{clicks:,} records in the clicks' topics, {updates:,} updates"


def _table(struck: Sequence[InjectedFault]) -> Iterator[str]:
    yield f"{'fault':<62}{'count':>6}{'open':>6}{'p50 s':>8}{'max s':>8}"
    for kind in dict.fromkeys(sorted(each.kind for each in struck)):
        yield _line(kind, [each for each in struck if each.kind == kind])
    yield _line("all", struck)
    yield "open: hit a transaction that was seen to be open; p50, max: until all was committed after the fault's end"


def _line(name: str, struck: Sequence[InjectedFault]) -> str:
    seconds = [each.recovery_seconds for each in struck] or [0.0]
    is_open = sum(each.was_open for each in struck)
    return f"{name:<62}{len(struck):>6}{is_open:>6}{median(seconds):>8.1f}{max(seconds):>8.1f}"


def _remarks(results: Sequence[Result]) -> Iterator[str]:
    endings: Counter[int] = Counter()
    missed: Counter[str] = Counter()
    for result in results:
        endings += result.endings
        missed += result.missed
    yield f"slowest to leave after SIGTERM: {max((each.slowest_leave for each in results), default=0.0):.1f} s"
    unknown = sum(each.unknown for each in results)
    yield f"clicks without an acknowledgement, looked up in the topic: {unknown}"
    for code, count in sorted(endings.items()):
        yield f"workers that exited with code {code} and were started again: {count}"
    for what, count in sorted(missed.items()):
        yield f"not met: {what} ({count} times)"
    for kind, count in sorted(Counter(kind for result in results for kind in result.skipped).items()):
        yield f"SKIPPED, NOT POSSIBLE HERE: {kind} ({count} times)"


def _summary(results: Sequence[Result], struck: Sequence[InjectedFault]) -> Iterator[str]:
    violations = [violation for result in results for violation in result.violations]
    is_open = sum(each.was_open for each in struck)
    if violations:
        yield f"VIOLATED, {len(violations)} times:"
        yield from violations
        return
    yield f"no violation in {len(struck)} faults: at 95 % confidence less than 3/{len(struck)} = {_share(len(struck))}"
    yield f"no violation in {is_open} that hit an open transaction: less than 3/{is_open} = {_share(is_open)}"
    yield "exact"


def _share(trials: int) -> str:
    return f"{CONFIDENCE / trials:.1%}" if trials > CONFIDENCE else "all"
