"""The topics of an installation: specifications, and the differences of existing topics from them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from runtime.errors import Unavailable, UsageError
from runtime.kafka.client import DEAD_LETTER_ROOM, DEFAULT_CLICK_BYTES
from runtime.kafka.shell_commands import alter_topic, configure_topic
from runtime.terminal.text import counted
from schemas.topics import TopicNames

SCRIPT_RUNS_MS = 7 * 24 * 60 * 60 * 1_000
"""Runs are kept for a week: they may quote a person's data."""


class Cleanup(StrEnum):
    """The `cleanup.policy` of a topic."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """The specification of one topic. `partitions` is None if it must have as many as the clicks."""

    name: str
    cleanup: Cleanup
    partitions: int | None = None
    config: Mapping[str, str] = field(default_factory=dict)
    """Further settings for its creation; other values are accepted later."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """The state of one topic. Settings that this user may not see are None."""

    partitions: int
    cleanup: frozenset[str] | None = None
    max_message_bytes: int | None = None
    leaderless: int = 0
    """Number of partitions without a leader, which can be neither read nor written."""
    replicas: int | None = None
    """Lowest number of replicas of a partition; None if unknown."""


class Severity(StrEnum):
    """Severity of a difference: a worker runs despite a warning."""

    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of a topic from its specification, and how to fix it."""

    topic: str
    problem: str
    advice: str
    severity: Severity = Severity.FAIL

    def __str__(self) -> str:
        return f"{self.topic} {self.problem}; {self.advice}"


@dataclass(frozen=True, slots=True)
class TopicReport:
    """The partition count of the clicks, the missing topics, and the differences."""

    partitions: int | None
    missing: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """A sentence for each problem that keeps the worker from running."""
        missing = f"Missing: {', '.join(self.missing)}; run link-actions topics create"
        wrong = tuple(str(each) for each in self.differences if each.severity is Severity.FAIL)
        return ((missing,) if self.missing else ()) + wrong

    def require(self) -> int:
        """Return the partition count. Raises Unavailable, which names every failure."""
        if self.failures or self.partitions is None:
            heading = f"{len(self.failures)} things are wrong with the topics:\n  " if len(self.failures) > 1 else ""
            raise Unavailable(heading + "\n  ".join(self.failures))
        return self.partitions


def require_wanted(
    names: TopicNames, states: Mapping[str, TopicState], *, partitions: int | None, replication_factor: int | None
) -> None:
    """Raise UsageError if existing topics have other counts than requested; None requests nothing."""
    clicks = states.get(names.clicks)
    if partitions is not None and clicks is not None and clicks.partitions != partitions:
        advice = (
            f"to have more, stop all workers and run link-actions state repartition --partitions {partitions}"
            if partitions > clicks.partitions
            else "Kafka cannot remove partitions: leave out --partitions, or set another LINK_ACTIONS_TOPIC_PREFIX"
        )
        raise UsageError(f"{names.clicks} has {counted(clicks.partitions, 'partition')}, not {partitions}; {advice}")
    other = sorted(name for name, state in states.items() if state.replicas not in (None, replication_factor))
    if replication_factor is not None and other:
        seen = counted(states[other[0]].replicas or 0, "replica")
        more = f" (and {counted(len(other) - 1, 'other topic')} too)" if other[1:] else ""
        advice = "change that with kafka-reassign-partitions.sh, or leave out --replication-factor"
        raise UsageError(f"{other[0]} has {seen}, not {replication_factor}{more}; {advice}")


def topic_specs(names: TopicNames) -> tuple[TopicSpec, ...]:
    """Return the specification of every topic, clicks first."""
    updates = tuple(TopicSpec(name, Cleanup.DELETE) for name in names.updates.values())
    # A dead letter keeps the timestamp of its click: retention by age would delete that of an old click at once.
    letters = {
        "max.message.bytes": str(DEFAULT_CLICK_BYTES + DEAD_LETTER_ROOM),
        "retention.ms": "-1",
        "retention.bytes": str(2**30),
    }
    return (
        TopicSpec(names.clicks, Cleanup.DELETE),
        TopicSpec(names.definitions, Cleanup.COMPACT, partitions=1),
        *updates,
        TopicSpec(names.hits, Cleanup.COMPACT),
        TopicSpec(names.forms, Cleanup.DELETE),
        TopicSpec(names.dead_letters, Cleanup.DELETE, config=letters),
        TopicSpec(names.script_definitions, Cleanup.COMPACT, partitions=1),
        TopicSpec(names.script_runs, Cleanup.DELETE, config={"retention.ms": str(SCRIPT_RUNS_MS)}),
        TopicSpec(names.script_dead_letters, Cleanup.DELETE, config=letters),
        TopicSpec(names.return_urls, Cleanup.COMPACT),
        TopicSpec(names.changelog, Cleanup.COMPACT),
    )


def worker_topic_specs(names: TopicNames) -> tuple[TopicSpec, ...]:
    """Return the specifications of the topics that `link-actions run` reads or writes."""
    others = {names.forms, names.script_definitions, names.script_runs, names.script_dead_letters, names.return_urls}
    return tuple(spec for spec in topic_specs(names) if spec.name not in others)


def compare_topics(
    names: TopicNames, states: Mapping[str, TopicState], specs: Sequence[TopicSpec] | None = None
) -> TopicReport:
    """Compare the existing topics with their specifications, those of all topics unless `specs` are given."""
    specs = topic_specs(names) if specs is None else specs
    partitions = states[names.clicks].partitions if names.clicks in states else None
    differences = [
        difference
        for spec in specs
        if spec.name in states
        for difference in _differences(spec, states[spec.name], _wanted_count(spec, names, states), names)
    ]
    missing = tuple(spec.name for spec in specs if spec.name not in states)
    return TopicReport(partitions, missing, (*differences, *_dead_letter_room(names, states)))


def _wanted_count(spec: TopicSpec, names: TopicNames, states: Mapping[str, TopicState]) -> int | None:
    """Return how many partitions a topic must have; None if any number is accepted for now.

    If the clicks have another count than the changelog, topics with the changelog's count are not reported: the
    difference of the changelog says what to do, and growing the others would not fix it.
    """
    if spec.partitions or names.clicks not in states:
        return spec.partitions
    changelog = states.get(names.changelog)
    is_left_behind = changelog and spec.name != names.changelog and states[spec.name].partitions == changelog.partitions
    return None if is_left_behind else states[names.clicks].partitions


def _differences(spec: TopicSpec, state: TopicState, partitions: int | None, names: TopicNames) -> Iterator[Difference]:
    if partitions is not None and state.partitions != partitions:
        yield _wrong_count(spec, state.partitions, partitions, names)
    if state.cleanup is None:
        advice = "grant this user DescribeConfigs on it, or check it by hand"
        yield Difference(spec.name, "does not show its cleanup.policy", advice, Severity.WARN)
    elif state.cleanup != {spec.cleanup}:
        problem = f"has cleanup.policy {','.join(sorted(state.cleanup))} and must have {spec.cleanup}"
        yield Difference(spec.name, problem, f"run {configure_topic(spec.name, 'cleanup.policy', spec.cleanup)}")
    if state.leaderless:
        problem = f"has {counted(state.leaderless, 'partition')} without a leader"
        yield Difference(spec.name, problem, "start the brokers that hold them")


def _wrong_count(spec: TopicSpec, seen: int, wanted: int, names: TopicNames) -> Difference:
    problem = f"has {counted(seen, 'partition')} and must have {wanted}"
    if spec.name == names.changelog:
        reason = f"{names.clicks} was given another count, which separates recipients from their dedupe state"
        advice = (
            f"stop all workers and run link-actions state repartition --partitions {wanted}, which also moves the"
            " dedupe state"
            if seen < wanted
            else "go back to the old count, or start over with another LINK_ACTIONS_TOPIC_PREFIX"
        )
        return Difference(spec.name, problem, f"{reason}: {advice}")
    if seen < wanted and spec.partitions is None:
        return Difference(spec.name, problem, f"run {alter_topic(spec.name, '--alter', '--partitions', wanted)}")
    delete = alter_topic(spec.name, "--delete")
    return Difference(spec.name, problem, f"delete it with all its records: {delete} && link-actions topics create")


def _dead_letter_room(names: TopicNames, states: Mapping[str, TopicState]) -> Iterator[Difference]:
    clicks, letters = states.get(names.clicks), states.get(names.dead_letters)
    if not (clicks and clicks.max_message_bytes and letters and letters.max_message_bytes):
        return
    wanted = clicks.max_message_bytes + DEAD_LETTER_ROOM
    if letters.max_message_bytes < wanted:
        problem = f"has max.message.bytes {letters.max_message_bytes} and the largest dead letter may need {wanted}"
        advice = f"run {configure_topic(names.dead_letters, 'max.message.bytes', wanted)}"
        yield Difference(names.dead_letters, problem, advice, Severity.WARN)
