"""Verifies the result of a run after all faults, with a reference model that shares no code with the program."""

from collections import Counter
from collections.abc import Iterable

from consumer.decision.outcome import BatchCounts
from consumer.verify.reference_model import ReferenceModel
from tests.loop.expectations import (
    compare_updates,
    dead_letters,
    expected_model,
    hits,
    replayed,
    rerouted_copies,
)
from tests.loop.fake_environment import FakeEnvironment
from tests.loop.scenario import Story
from tests.simulation.chapter import Chapters
from tests.simulation.onlooker import Onlooker
from tests.simulation.process import Process


def find_violations(story: Story) -> list[str]:
    """Return a sentence for each violation in the topics."""
    environment = story.environment
    model = _model(story)
    comparison = compare_updates(environment, model)
    found = [] if comparison.is_exact else [f"updates: {comparison}"]
    if (told := hits(environment)) != model.hits:
        found.append(f"hits are {told}, not {model.hits}")
    expected = sorted((bad.partition, bad.offset, str(bad.reason)) for bad in story.bad)
    if (letters := dead_letters(environment)) != expected:
        found.append(f"dead letters are {letters}, not {expected}")
    if any(copies != 1 for copies in rerouted_copies(story)):
        found.append(f"clicks were rerouted {rerouted_copies(story)} times")
    if left_open := environment.cluster.transactions.open_transactions:
        found.append(f"transactions are left open: {left_open}")
    return found


def find_wrong_chapters(story: Story, chapters: Chapters, onlooker: Onlooker) -> list[str]:
    """Hold a run in which a person chose against the model, chapter by chapter, and what was counted as lost."""
    found = [*chapters.violations(story)]
    for partition, counted in onlooker.lost.items():
        if counted != (lost := chapters.lost(partition)):
            found.append(f"{lost} offsets of partition {partition} were lost, and {counted} were counted")
    if left_open := story.environment.cluster.transactions.open_transactions:
        found.append(f"transactions are left open: {left_open}")
    return found


def find_wrong_disks(environment: FakeEnvironment, onlooker: Onlooker, processes: Iterable[Process]) -> list[str]:
    """Hold every disk against a replay of the changelog up to its position."""
    identity = f"{environment.cluster.cluster_id}/{environment.cluster.topic(environment.names.changelog).topic_id}"
    stores = (
        (process.name, process.disk.open(partition, identity), changelog)
        for process in processes
        for partition, changelog in onlooker.changelog.items()
    )
    return [
        f"the disk of {name} is no copy of the changelog {changelog[0].partition()}"
        for name, store, changelog in stores
        if dict(store.scan(b"")) != replayed(changelog, store.position)
    ]


def find_wrong_state(environment: FakeEnvironment, onlooker: Onlooker, processes: Iterable[Process]) -> list[str]:
    """Hold the state of every partition, which one process must be at work on, against its whole changelog."""
    live = [(partition, store) for process in processes for partition, store in process.live.items()]
    if sorted(partition for partition, _ in live) != [*range(environment.partitions)]:
        return [f"at work are {sorted(partition for partition, _ in live)} of {environment.partitions} partitions"]
    ends = {
        partition: log.end for partition, log in enumerate(environment.cluster.topic(environment.names.changelog).logs)
    }
    return [
        f"the state of partition {partition} is not its changelog"
        for partition, store in live
        if dict(store.scan(b"")) != replayed(onlooker.changelog[partition], ends[partition])
    ]


def find_wrong_counts(story: Story, counts: BatchCounts, *, complete: bool) -> list[str]:
    """Hold the counts against the topic. A process that dies may not have counted what it did last: `complete`."""
    model = _model(story)
    expected = model.outcomes + Counter({"dead_lettered": len(story.bad), "rerouted": len(story.misrouted)})
    surplus, lacking = counts.clicks - expected, expected - counts.clicks
    found = [f"more clicks were counted than there are: {surplus}"] if surplus else []
    if complete and lacking:
        found.append(f"clicks were not counted: {lacking}")
    return found


def _model(story: Story) -> ReferenceModel:
    return expected_model(story.environment, {(bad.partition, bad.offset) for bad in story.bad})
